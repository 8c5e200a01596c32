"""Rules as people write them: the text of a file out of their documents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import yaml

_WIDTH = 100


def as_file(documents: Iterable[Mapping[str, Any]]) -> str:
    """A file with these rules; whatever stands in them, nothing of it moves a terminal."""
    bodies = {
        str(one.get("name")): {key: value for key, value in one.items() if key != "name"}
        for one in documents
    }
    written: str = yaml.safe_dump(
        {"version": 1, "rules": bodies}, sort_keys=False, allow_unicode=False, width=_WIDTH
    )
    return written
