"""The published pages: fresh, and their examples are configurations."""

from __future__ import annotations

import re
from pathlib import Path

from configuration_world import said

from watchgate.configuration import schema

DOCS = Path(__file__).resolve().parents[2] / "docs"
_EXAMPLE = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)


def test_the_generated_pages_are_as_the_code_says() -> None:
    page = (DOCS / "reference/configuration.md").read_text(encoding="utf-8")
    published = (DOCS / "reference/configuration.schema.json").read_text(encoding="utf-8")

    assert page == schema.reference_page(), "run `make docs`"
    assert published == schema.schema_text(), "run `make docs`"


def test_the_examples_of_the_how_to_are_right() -> None:
    text = (DOCS / "how-to/configuration-as-files.md").read_text(encoding="utf-8")
    examples = _EXAMPLE.findall(text)
    found = said(*examples)

    assert len(examples) == 4
    assert found.owner == "network-team"
    assert [one.name for one in found.grants] == ["incident-4711", "ops-in-office-hours"]
