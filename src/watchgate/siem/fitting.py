"""A message that fits its limit: every text in it is cut a little more until it does."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from watchgate.siem.fact import Fact, Host
from watchgate.siem.legible import clipped
from watchgate.siem.particulars import Particulars, particulars

LENGTHS = (4000, 2000, 1000, 500, 250, 120, 60, 30, 12, 6)
"""How long one text may be, tried in this order. The message is never cut itself, so it can be read."""

Shape = Callable[[Particulars, Host], str]


def fitted(shape: Shape, fact: Fact, host: Host) -> bytes:
    """What *shape* makes of *fact*, with texts as long as `host.limit` octets have room for."""
    octets = b""
    for most in LENGTHS:
        octets = shape(particulars(fact, most), host).encode("utf-8", "backslashreplace")
        if len(octets) <= host.limit:
            break
    return octets


def compact(value: Any) -> str:
    """*value* as one line of JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def compact_within(value: Any, most: int) -> str:
    """*value* as JSON of at most *most* characters, with its texts cut as far as that takes."""
    text = ""
    for length in LENGTHS:
        text = compact(clipped(value, length))
        if len(text) <= most:
            break
    return text


def nested(flat: dict[str, Any]) -> dict[str, Any]:
    """`{"a.b": 1}` as `{"a": {"b": 1}}`, without what is not known."""
    tree: dict[str, Any] = {}
    for path, value in flat.items():
        if value is None or value in ("", [], {}):
            continue
        *parents, name = path.split(".")
        place = tree
        for parent in parents:
            place = place.setdefault(parent, {})
        place[name] = value
    return tree
