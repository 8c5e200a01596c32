"""Rules that a document writes as a whole file are ones that load, and their examples hold."""

from __future__ import annotations

from pathlib import Path

import pytest
from transcripts import Block, blocks

from watchgate.policy.findings import Gravity
from watchgate.policy.linting import lint
from watchgate.policy.loading import load_text

ROOT = Path(__file__).resolve().parents[2]


def _files() -> list[tuple[Path, Block]]:
    return [
        (path, block)
        for path in sorted((ROOT / "docs").rglob("*.md"))
        for block in blocks(path.read_text(encoding="utf-8"))
        if block.language == "yaml" and "version: 1\nrules:" in block.text
    ]


FILES = _files()


@pytest.mark.parametrize(
    ("path", "block"), FILES, ids=[f"{path.name}-{block.line}" for path, block in FILES]
)
def test_rules_that_are_written_load_and_do_what_they_say(path: Path, block: Block) -> None:
    rules = load_text(block.text, f"{path.name}, line {block.line}")

    assert rules
    assert all(rule.expect for rule in rules)
    assert [one for one in lint(rules) if one.gravity is Gravity.ERROR] == []


def test_there_are_rules_in_the_documents() -> None:
    assert len(FILES) > 2
