"""What `!!` and its like stand for, and the beginning of a line that a row does not show."""

from __future__ import annotations

import pytest

from watchgate.terminal.live.recall import Recall


def _recall(*lines: str) -> Recall:
    recall = Recall()
    for line in lines:
        recall.add(line)
    return recall


@pytest.mark.parametrize(
    ("line", "became"),
    [
        ("!!", "rm -rf /srv"),
        ("sudo !!", "sudo rm -rf /srv"),
        ("!-1", "rm -rf /srv"),
        ("ls !$", "ls /srv"),
        ("ls !*", "ls -rf /srv"),
        ("!ec", "echo a"),
        ("!?ech?", "echo a"),
        ("^srv^etc", "rm -rf /etc"),
        ("^srv^etc^", "rm -rf /etc"),
        ('echo "!!"', 'echo "rm -rf /srv"'),
    ],
)
def test_an_earlier_line_is_put_in(line: str, became: str) -> None:
    others, why = _recall("echo a", "rm -rf /srv").expanded(line)

    assert became in others
    assert why is None


@pytest.mark.parametrize(
    "line",
    [
        "ls",
        "echo hi!",
        "[ ! -f x ]",
        "! true",
        "[[ a != b ]]",
        "echo '!!'",
        "echo $!",
        "echo \\!!",
        "wow!",
        'echo "wow!"',
    ],
)
def test_an_exclamation_mark_is_not_always_one(line: str) -> None:
    assert _recall("rm x").expanded(line) == ((), None)


@pytest.mark.parametrize("line", ["!!", "!to", "^a^b", "!5"])
def test_what_the_gateway_has_not_seen_it_does_not_know(line: str) -> None:
    others, why = _recall().expanded(line)

    assert others == ()
    assert "has not seen" in (why or "")


def test_a_history_that_was_changed_is_not_known() -> None:
    _, why = _recall("history -s 'rm x'", "ls").expanded("!!")

    assert why is not None


def test_a_line_that_shells_may_not_keep_leaves_two_possibilities() -> None:
    others, why = _recall("rm x", " ls").expanded("!!")

    assert set(others) == {" ls", "rm x"}
    assert why is None


def test_the_hidden_beginning_is_that_of_the_line_that_fits_longest() -> None:
    recall = _recall("echo " + "abcdefghij" * 10 + " && touch HAT", "echo abcdefghij")

    found = recall.begun_before("defghij" + "abcdefghij" * 3 + " && touch HIT")

    assert found == "echo " + "abcdefghij" * 10 + " && touch HIT"


def test_too_little_tells_nothing() -> None:
    assert _recall("echo abc").begun_before("abc") is None
