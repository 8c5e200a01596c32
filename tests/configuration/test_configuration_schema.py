"""The shape of the files for other programs, and for people."""

from __future__ import annotations

import json

from watchgate.configuration import schema
from watchgate.configuration.documents import DOCUMENT, GRANT, OPERATOR, TARGET


def test_the_schema_permits_no_key_that_files_may_not_have() -> None:
    made = json.loads(schema.schema_text())

    assert set(made["properties"]) == {key.name for key in DOCUMENT.keys}
    assert made["additionalProperties"] is False
    assert made["patternProperties"] == {"^x-": True}
    target = made["properties"]["targets"]["additionalProperties"]
    assert target["required"] == ["address"]
    assert target["properties"]["settings"]["properties"]["index"]["enum"] == [
        "off",
        "commands",
        "screen",
    ]


def test_the_reference_names_every_key() -> None:
    page = schema.reference_page()
    named = [key.name for record in (DOCUMENT, OPERATOR, TARGET, GRANT) for key in record.keys]

    assert [name for name in named if f"| `{name}`" not in page] == []
    assert "quoted" in page
