"""Documents: generated pages are fresh, every event is explained, links lead somewhere."""

from __future__ import annotations

import inspect
import re
import sys

import pytest

from watchgate.session.events import KINDS, Event

from .source_tree import ROOT, tracked

sys.path.insert(0, str(ROOT / "tools"))
import generate_docs

PAGES = (
    *("settings.md", "events.md", "errors.md", "cli.md"),
    *("siem-mapping.md", "configuration.md", "configuration.schema.json"),
    *("rules.md", "rules.schema.json", "rule-library.md"),
)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def test_the_generated_pages_are_fresh() -> None:
    pages = generate_docs.pages()
    written = {page: (generate_docs.REFERENCE / page).read_text(encoding="utf-8") for page in PAGES}

    assert [page for page in PAGES if written[page] != pages[page]] == [], "run `make docs`"
    assert set(pages) == set(PAGES)


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.kind)
def test_every_event_has_a_sentence_and_a_place_in_the_reference(kind: type[Event]) -> None:
    sentence = inspect.getdoc(kind) or ""
    page = (generate_docs.REFERENCE / "events.md").read_text(encoding="utf-8")

    assert sentence.rstrip().endswith(".")
    assert f"\n## {kind.kind}\n" in page


def test_every_kind_is_a_noun_and_a_verb() -> None:
    assert [name for name in KINDS if not re.fullmatch(r"[a-z]+\.[a-z]+", name)] == []


def test_every_link_in_a_document_leads_somewhere() -> None:
    broken = []
    for path in tracked():
        if path.suffix != ".md":
            continue
        for target in LINK.findall(path.read_text(encoding="utf-8")):
            file = target.partition("#")[0]
            if "://" in target or target.startswith("mailto:") or not file:
                continue
            if not (path.parent / file).exists():
                broken.append(f"{path.relative_to(ROOT)}: {target}")

    assert broken == []
