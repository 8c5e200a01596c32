"""Facts for tests: one example of every kind of event, and what an attacker would put into it."""

from __future__ import annotations

import types
from dataclasses import fields
from typing import Any, get_type_hints

from watchgate.session.events import KINDS
from watchgate.siem.fact import Fact, Host, uid_of

HOST = Host(node="gate1.example", version="0.3.0")
SESSION = "01938f2e-7d1a-7cc3-98a2-5f3a1c2b4d6e"
STARTED = 1_780_000_000_000_000

CONTEXT: dict[str, Any] = {
    "protocol": "ssh",
    "operator": "alice",
    "account": "root",
    "target": "web1",
    "client": "192.0.2.7:50022",
    "recording": "01938f2e-7d1a-7cc3-98a2-000000000001",
    "grant": "01938f2e-7d1a-7cc3-98a2-000000000002",
    "started_at_us": STARTED,
}

HOSTILE = '|=\n\r\t"]\\ \0\x1b[31m\x85\u202eäß漢字😀\udc80\ud800 CEF:0|x^y rm -rf / '


def fact(kind: str, text: str = "text", **data: Any) -> Fact:
    """An event of that kind in a session, with *text* in each field that holds text."""
    values = _values(kind, text) | data if kind in KINDS else data
    return Fact(
        uid=uid_of(SESSION, 7),
        at_us=STARTED + 1_234_567,
        kind=kind,
        v=1,
        session=SESSION,
        seq=7,
        data=values,
        context=CONTEXT,
    )


def hostile_fact(kind: str, text: str = HOSTILE) -> Fact:
    """The same with hostile text in the context too."""
    made = fact(kind, text)
    context = {name: text if isinstance(value, str) else value for name, value in CONTEXT.items()}
    return Fact(made.uid, made.at_us, kind, 1, SESSION, 7, made.data, context)


def _values(kind: str, text: str) -> dict[str, Any]:
    hints = get_type_hints(KINDS[kind])
    return {field.name: _value(hints[field.name], text) for field in fields(KINDS[kind])}


def _value(hint: Any, text: str) -> Any:
    if isinstance(hint, types.UnionType):
        hint = hint.__args__[0]
    if hint is str:
        return text
    if hint is bool:
        return True
    if hint is int:
        return 42
    origin = getattr(hint, "__origin__", None)
    return [text, text] if origin is list else {text: text, "nested": {"deep": [text, 1, None]}}
