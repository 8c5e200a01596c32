# Watchgate: what one types in a checkout. `make help` lists it.
#
# Everything is installed into .venv from lock files with hashes; a stamp file remembers that, so a
# second `make test` starts at once, and a changed lock file is installed again.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
INSTALL := $(PIP) install --require-hashes
RUN_STAMP := $(VENV)/.run-installed
TEST_STAMP := $(VENV)/.test-installed
LOCK_STAMP := $(VENV)/.lock-installed
JOBS ?= 2
SOURCES := src tests tools $(wildcard bench)
COMPILE := $(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 \
	--no-emit-index-url --no-emit-find-links --no-annotate --upgrade \
	--custom-compile-command "make lock"

.PHONY: help install demo test soak bench-ssh bench-search bench-siem bench-terminal bench-commands docs lint lock packages clean
.DEFAULT_GOAL := help

help:  ## list what can be made
	@grep -E '^[a-z-]+:.*  ## ' $(MAKEFILE_LIST) | sort | sed -E 's/^([a-z-]+):.*  ## /\1\t/' \
		| awk -F '\t' '{ printf "make %-15s %s\n", $$1, $$2 }'

install: $(RUN_STAMP)  ## make .venv with the locked dependencies and the `watchgate` command

demo: $(RUN_STAMP)  ## gateway and target on this machine, to try it (ARGS=--check: unattended)
	@$(BIN)/watchgate demo $(ARGS)

test: $(TEST_STAMP) packages lint  ## Debian packages for tests, ruff, mypy, pytest
	$(BIN)/pytest -n $(JOBS) --dist loadgroup $(ARGS)

soak: $(TEST_STAMP)  ## the long tests
	$(BIN)/pytest -m soak $(ARGS)

bench-ssh: $(TEST_STAMP) packages  ## measure SSH beside sshd and the classic bastion
	$(BIN)/python -m bench.ssh $(ARGS)

bench-search: $(TEST_STAMP)  ## measure the index beside a scan and beside an index of words
	$(BIN)/python -m bench.search $(ARGS)

bench-siem: $(TEST_STAMP)  ## measure the outbox, the hand-over and delivery
	$(BIN)/python -m bench.siem $(ARGS)

bench-terminal: $(TEST_STAMP)  ## measure the terminal emulators side by side
	$(BIN)/python -m bench.terminal $(ARGS)

bench-commands: $(TEST_STAMP) packages  ## measure how well rules hold, and what they cost
	$(BIN)/python -m bench.commands $(ARGS)

docs: $(RUN_STAMP)  ## write docs/reference from the tables in the code
	$(BIN)/python tools/generate_docs.py

lint: $(TEST_STAMP)  ## ruff and mypy
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/mypy $(SOURCES) --exclude '^tests/conftest\.py$$'
	@# By itself: folders of tests have a module of that name too.
	$(BIN)/mypy tests/conftest.py

lock: $(LOCK_STAMP)  ## choose the newest dependencies and write the lock files
	$(COMPILE) pyproject.toml --group test --output-file requirements/test.txt
	$(COMPILE) pyproject.toml --constraint requirements/test.txt --output-file requirements/run.txt
	$(COMPILE) requirements/build.in --constraint requirements/test.txt --output-file requirements/build.txt
	$(COMPILE) requirements/lock.in --output-file requirements/lock.txt

packages:  ## programs that the tests drive (PACKAGES=no: install none)
	@tools/test_packages.sh

clean:  ## remove .venv and caches
	rm -rf $(VENV) .packages .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find src tests tools -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@PYTHON=$(PYTHON) tools/make_venv.sh $(VENV)

$(RUN_STAMP): requirements/run.txt requirements/build.txt pyproject.toml | $(BIN)/python
	@echo "installing Watchgate and its dependencies into $(VENV)"
	@$(INSTALL) -r requirements/run.txt -r requirements/build.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(TEST_STAMP): requirements/test.txt $(RUN_STAMP)
	@echo "installing what the tests need into $(VENV)"
	@$(INSTALL) -r requirements/test.txt
	@touch $@

$(LOCK_STAMP): requirements/lock.txt | $(BIN)/python
	@$(INSTALL) -r requirements/lock.txt
	@touch $@
