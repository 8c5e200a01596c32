"""What holds for every source file: names, sizes, words, docstrings."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import asyncssh
import pytest

from .source_tree import ROOT, TESTS, Module, files_of_tests, modules, tracked

LONGEST = 450
LONGER = {
    "watchgate.session.events": "one closed family; split, its order would be lost",
    "watchgate.catalog.schema": "all tables, which refer to each other",
    "watchgate.terminal.gate.gate": "one state machine, whose states are told from each other in one place",
}

# A module of more than 40 lines has a test file of its name or one in its folder that imports it; or it
# is tested by what it is a part of, in a file (or by the programs in a folder) that is named here.
TESTED_IN: dict[str, str] = {
    "watchgate.errors": "structure/test_docs.py",
    "watchgate.session.model": "session/test_lifecycle.py",
    "watchgate.session.ports": "session/test_lifecycle.py",
    "watchgate.protocols.ssh.script_frames": "protocols/ssh/test_script_shape.py",
    "watchgate.terminal.elevation.options": "terminal/elevation/test_elevation_requests.py",
    "watchgate.catalog.search.connections": "catalog/search/test_search_processes.py",
    "watchgate.catalog.search.progress": "catalog/search/test_search_keeping.py",
    "watchgate.catalog.search.reading": "catalog/search/test_search_index.py",
    "watchgate.catalog.search.writing": "catalog/search/test_search_index.py",
    "watchgate.catalog.projection_verdicts": "catalog/test_projection.py",
    "watchgate.catalog.sqlite": "catalog/test_database.py",
    "watchgate.catalog.migrations.versions.0001_first": "catalog/test_migration.py",
    "watchgate.catalog.migrations.versions.0004_coverage": "catalog/test_migration.py",
    "watchgate.catalog.migrations.versions.0005_rules": "catalog/test_migration.py",
    "watchgate.catalog.migrations.versions.0002_outbox": "catalog/test_migration.py",
    "watchgate.cli.account": "cli/test_cli_configuration.py",
    "watchgate.cli.differences": "cli/test_cli_apply.py",
    "watchgate.spectators": "e2e/test_indexing.py",
    "watchgate.cli.evidence": "cli/test_cli_session.py",
    "watchgate.cli.export_config": "cli/test_cli_apply.py",
    "watchgate.cli.grant": "cli/test_cli_configuration.py",
    "watchgate.cli.operator": "cli/test_cli_configuration.py",
    "watchgate.cli.recipient": "cli/test_cli_upkeep.py",
    "watchgate.cli.replay": "cli/test_cli_session.py",
    "watchgate.cli.rules_trying": "cli/test_cli_rules.py",
    "watchgate.cli.target": "cli/test_cli_configuration.py",
    "watchgate.cli.verification": "cli/test_cli_session.py",
    "watchgate.configuration.entries": "configuration/test_configuration_documents.py",
    "watchgate.configuration.facts": "configuration/test_difference.py",
    "watchgate.configuration.keys": "configuration/test_configuration_documents.py",
    "watchgate.configuration.terms": "configuration/test_configuration_documents.py",
    "watchgate.configuration.imports.ansible_ini": "configuration/imports/test_imports_ansible.py",
    "watchgate.protocols.ssh.choosing": "e2e",
    "watchgate.protocols.ssh.engine": "e2e",
    "watchgate.protocols.ssh.front": "e2e",
    "watchgate.protocols.ssh.gate": "e2e",
    "watchgate.protocols.ssh.menu_choices": "protocols/ssh/test_menu.py",
    "watchgate.protocols.ssh.menu_lines": "protocols/ssh/test_menu.py",
    "watchgate.protocols.ssh.menu_screen": "protocols/ssh/test_menu.py",
    "watchgate.protocols.ssh.reach": "e2e",
    "watchgate.protocols.ssh.refusal": "e2e",
    "watchgate.protocols.ssh.carrier": "e2e",
    "watchgate.protocols.ssh.relay": "e2e",
    "watchgate.protocols.ssh.forwardings": "e2e/test_forwarding.py",
    "watchgate.protocols.ssh.seams": "structure/test_sources.py",
    "watchgate.protocols.ssh.services": "e2e",
    "watchgate.protocols.ssh.wire": "protocols/ssh/test_forwards.py",
    "watchgate.indexing.child": "indexing/test_supervisor.py",
    "watchgate.indexing.rebuild": "cli/test_cli_reindex.py",
    "watchgate.indexing.service": "indexing/test_supervisor.py",
    "watchgate.recording.contents": "recording/export/test_export_commands.py",
    "watchgate.recording.desk": "recording/test_pen.py",
    "watchgate.recording.opening": "recording/test_tail.py",
    "watchgate.recording.spool": "recording/test_store.py",
    "watchgate.recording.unrecorded": "recording/test_store.py",
    "watchgate.siem.datagram": "siem/test_transports.py",
    "watchgate.siem.ecs": "siem/test_views.py",
    "watchgate.siem.tls": "siem/test_https.py",
    "watchgate.siem.sender": "siem/test_delivery.py",
    "watchgate.transfers.sftp_files": "transfers/test_sftp.py",
    "watchgate.terminal.ghostty": "terminal/test_screen_contract.py",
    "watchgate.terminal.ghostty_cells": "terminal/test_screen_contract.py",
    "watchgate.terminal.pyte_cells": "terminal/test_screen_contract.py",
    "watchgate.terminal.pyte_grid": "terminal/test_screen_contract.py",
    "watchgate.terminal.pyte_interpreter": "terminal/test_screen_contract.py",
    "watchgate.terminal.pyte_keyframe": "terminal/test_screen_contract.py",
    "watchgate.terminal.screen_ghostty_keyframe": "terminal/test_screen_contract.py",
}
SMALL = 40

# Only these may touch private names of asyncssh.
SEAMS = {"watchgate.protocols.ssh.seams", "watchgate.protocols.ssh.bounds"}

BANNED_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "shared", "base"}
LATER = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "HA" + "CK")) + r")\b")
TEXT_SUFFIXES = {".py", ".md", ".toml", ".sh", ".txt", ".in", ".yml", ".cfg", ".ini", ""}


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.name)
def test_a_module_says_what_it_is(module: Module) -> None:
    docstring = ast.get_docstring(module.tree) or ""

    assert docstring.split("\n")[0].strip(), f"{module.where} has no docstring"


def test_no_module_is_a_drawer() -> None:
    named = [m.where for m in modules() if m.name.rpartition(".")[2] in BANNED_NAMES]

    assert named == []


def test_a_file_says_one_thing() -> None:
    long = {m.name: m.lines for m in modules() if m.lines > LONGEST and m.name not in LONGER}

    assert long == {}


def test_the_table_of_longer_files_is_true() -> None:
    sizes = {m.name: m.lines for m in modules()}

    assert [name for name in LONGER if sizes.get(name, 0) <= LONGEST] == []


def test_nothing_is_put_off() -> None:
    found = []
    for path in tracked():
        if path.suffix not in TEXT_SUFFIXES or path.stat().st_size > 1_000_000:
            continue
        for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), 1):
            if LATER.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()}")

    assert found == []


def test_lock_files_hold_no_addresses() -> None:
    addresses = re.compile(r"://|--index-url|--find-links|--extra-index|@ file")
    found = [
        f"{path.name}:{number}: {line}"
        for path in sorted((ROOT / "requirements").iterdir())
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if addresses.search(line)
    ]

    assert found == []


def test_everything_locked_has_hashes() -> None:
    for path in sorted((ROOT / "requirements").glob("*.txt")):
        joined = path.read_text().replace("\\\n", " ")
        pinned = [line for line in joined.splitlines() if line and not line.startswith("#")]

        assert pinned
        assert [line for line in pinned if "--hash=sha256:" not in line] == []


def _names_in_dependencies() -> set[str]:
    text = (ROOT / "docs/dependencies.md").read_text(encoding="utf-8")
    return set(re.findall(r"[a-z0-9][a-z0-9-]+", text.lower()))


def test_every_dependency_has_its_reason() -> None:
    written = _names_in_dependencies()
    locked = {
        line.split("==")[0].strip().lower()
        for path in (ROOT / "requirements").glob("*.txt")
        for line in path.read_text().splitlines()
        if "==" in line and not line.startswith((" ", "#"))
    }

    assert sorted(locked - written) == []


def _private_asyncssh_names(module: Module) -> set[str]:
    """Names that begin with an underscore, used on objects, in a module that imports asyncssh."""
    if not any(name.partition(".")[0] == "asyncssh" for name in module.imports()):
        return set()
    own = {
        node.attr
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id in {"self", "cls"}
    }
    defined = {
        node.name
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    return {
        node.attr
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute)
        and node.attr.startswith("_")
        and not node.attr.startswith("__")
        and node.attr not in own | defined
    }


def test_only_the_seams_touch_private_names_of_asyncssh() -> None:
    touching = {m.name: _private_asyncssh_names(m) for m in modules()}

    assert {name: found for name, found in touching.items() if found and name not in SEAMS} == {}


def test_the_private_names_that_the_seams_use_exist() -> None:
    seams = [m for m in modules() if m.name in SEAMS]
    sources = Path(asyncssh.__file__).parent.glob("*.py")
    library = "\n".join(file.read_text(encoding="utf-8") for file in sources)
    used = sorted({name for module in seams for name in _names_of_others(module)})
    gone = [name for name in used if not re.search(rf"\b{name}\b", library)]

    assert gone == []


def _names_of_others(module: Module) -> list[str]:
    """The private names that a module uses and neither assigns nor defines itself."""
    used, own = set(), set()
    for node in ast.walk(module.tree):
        match node:
            case ast.Attribute(attr=name, ctx=ast.Store()) | ast.FunctionDef(name=name):
                own.add(name)
            case ast.AsyncFunctionDef(name=name) | ast.Name(id=name, ctx=ast.Store()):
                own.add(name)
            case ast.Attribute(attr=name) if name.startswith("_") and not name.startswith("__"):
                used.add(name)
            case _:
                pass
    return sorted(used - own)


def test_tests_mirror_the_sources() -> None:
    missing = [
        module.where
        for module in modules()
        if module.lines > SMALL
        and module.name not in TESTED_IN
        and not module.path.name.startswith("__")
        and not _has_test(module)
    ]

    assert missing == []


def _has_test(module: Module) -> bool:
    """A test file of its name, or one in the mirrored folder that imports it by its name."""
    parts = module.name.split(".")[1:]
    names = {"test_" + "_".join(parts[start:]) for start in range(len(parts))}
    files = files_of_tests()
    if names & {file.path.stem for file in files}:
        return True
    folder = TESTS.joinpath(*parts[:-1])
    return any(module.name in file.imports() for file in files if file.path.is_relative_to(folder))


def test_the_table_of_what_is_tested_elsewhere_is_true() -> None:
    names = {module.name for module in modules()}

    assert sorted(set(TESTED_IN) - names) == []
    assert [place for place in TESTED_IN.values() if not (TESTS / place).exists()] == []


def test_test_files_have_names_of_their_own() -> None:
    # Outside of packages pytest imports a test file by its base name alone.
    loose = [path for path in TESTS.rglob("*.py") if not (path.parent / "__init__.py").exists()]
    stems = [path.stem for path in loose if path.stem != "conftest"]

    assert sorted({stem for stem in stems if stems.count(stem) > 1}) == []
