"""What the gateway says on an operator's terminal."""

from __future__ import annotations

from watchgate.protocols.ssh.said import line


def test_a_line_is_the_gateways_own_and_ends_as_a_raw_terminal_wants_it() -> None:
    assert line("blocked by rule no-rm") == b"watchgate: blocked by rule no-rm\r\n"


def test_nothing_in_it_steers_the_terminal() -> None:
    said = line("no \x1b[2J\x07\r\nfake$ \x9b1m \u202e")

    assert said == b"watchgate: no \\x1b[2J\\x07\\r\\nfake$ \\x9b1m \\u202e\r\n"


def test_words_of_every_language_and_what_is_no_text_can_be_said() -> None:
    assert (
        line("nicht erlaubt: löschen 削除") == "watchgate: nicht erlaubt: löschen 削除\r\n".encode()
    )
    assert line("\udcff") == b"watchgate: \\udcff\r\n"
