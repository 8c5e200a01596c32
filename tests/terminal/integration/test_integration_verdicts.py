"""What is typed to hooks, and what the hooks are."""

from __future__ import annotations

import pytest

from watchgate.terminal.integration.mark_kinds import Introduced
from watchgate.terminal.integration.scripts import LONGEST_LINE, hooks_for, probe, typed
from watchgate.terminal.integration.verdicts import accept_prefix, answer, echoed, renewal

NAMES = ["bash.sh", "bash_old.sh", "zsh.sh", "fish.fish"]


def test_a_verdict_is_a_command_that_does_nothing() -> None:
    assert answer(b"ab12", permitted=True) == b" : 7717.ab12.A\n"
    assert answer(b"ab12", permitted=False) == b" : 7717.ab12.B\n"
    assert renewal(b"ab12") == b" : 7717.ab12.W\n"
    assert echoed(answer(b"ab12", permitted=False)) == b" : 7717.ab12.B\r\n"


def test_a_token_goes_with_what_is_permitted_only() -> None:
    assert answer(b"ab12", permitted=True, token=b"T9") == b" : 7717.ab12.A.T9\n"
    assert answer(b"ab12", permitted=False, token=b"T9") == b" : 7717.ab12.B\n"


@pytest.mark.parametrize("token", [b"", b"a b", b"a;b", b"a\nb", b"x" * 65, b"$(x)"])
def test_a_token_of_other_than_letters_and_digits_is_refused(token: bytes) -> None:
    with pytest.raises(ValueError, match="token"):
        answer(b"ab12", permitted=True, token=token)


def test_a_nonce_of_other_than_letters_and_digits_is_refused() -> None:
    with pytest.raises(ValueError, match="nonce"):
        answer(b"a;b", permitted=True)


def test_only_fish_needs_a_key_before_enter() -> None:
    assert accept_prefix("fish")
    assert not accept_prefix("bash")
    assert not accept_prefix("zsh")


@pytest.mark.parametrize(
    ("introduced", "name"),
    [
        (Introduced(bash="5.2.15(1)-release"), "bash.sh"),
        (Introduced(bash="4.4.0"), "bash.sh"),
        (Introduced(bash="4.3.48"), "bash_old.sh"),
        (Introduced(bash="4.0"), "bash_old.sh"),
        (Introduced(bash="3.2.57"), None),
        (Introduced(zsh="5.9"), "zsh.sh"),
        (Introduced(zsh="4.3.17"), None),
        (Introduced(fish="3.6.0"), "fish.fish"),
        (Introduced(fish="4.0.1"), "fish.fish"),
        (Introduced(fish="2.7.1"), None),
        (Introduced(), None),
        (Introduced(bash="x"), None),
    ],
)
def test_each_shell_has_its_hooks(introduced: Introduced, name: str | None) -> None:
    assert hooks_for(introduced) == name


def test_early_hooks_can_be_wanted() -> None:
    assert hooks_for(Introduced(bash="5.2"), old=True) == "bash_old.sh"


@pytest.mark.parametrize("name", NAMES)
def test_hooks_are_lines_that_every_terminal_takes(name: str) -> None:
    first, rest = typed(name, b"ab12", 7)
    lines = (first + rest).splitlines()

    assert all(len(line) <= LONGEST_LINE for line in lines)
    assert all(0x20 <= octet < 0x7F for line in lines for octet in line)
    assert b"@NONCE@" not in first + rest
    assert b"@WAIT@" not in first + rest
    assert not any(line.startswith(b"#") for line in lines)


def test_the_probe_is_one_line_that_begins_with_a_blank() -> None:
    line = probe(b"ab12")

    assert line.startswith(b" ")
    assert line.endswith(b"\r")
    assert line.count(b"\r") == 1
    assert b"\x1b" not in line
