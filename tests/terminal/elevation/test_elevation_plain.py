from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchgate.terminal.elevation import plain

PLAIN = {
    "sudo id": ["sudo id"],
    "  sudo\tid  \n": ["sudo id"],
    "cd /srv && sudo make install": ["cd /srv", "sudo make install"],
    "sudo cat /etc/x | grep -v '#'": ["sudo cat /etc/x", "grep -v #"],
    "a; b || c": ["a", "b", "c"],
    "a;": ["a"],
    '\\sudo "i"d': ["sudo id"],
    "echo 'it is' \"a b\"": ["echo it is a b"],
    "sudo id > /tmp/x 2>&1 < /dev/null": ["sudo id"],
    "sudo seq 3 >/dev/null": ["sudo seq 3"],
    "sudo find . ! -name x": ["sudo find . ! -name x"],
    "sudo ls a#b": ["sudo ls a#b"],
    "sudo ls é/ü": ["sudo ls é/ü"],
}


@pytest.mark.parametrize("line", PLAIN)
def test_a_plain_line_is_its_commands(line: str) -> None:
    found = plain.commands(line)

    assert found is not None
    assert [" ".join(word.text for word in one.words) for one in found] == PLAIN[line]
    assert all(word.known for one in found for word in one.words)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "   ",
        "sudo $(evil)",
        "sudo `evil`",
        'sudo "$(evil)"',
        'sudo "`evil`"',
        "sudo ${x:-$(evil)}",
        "sudo <(evil)",
        "sudo id >(evil)",
        "sudo id <<EOF",
        "sudo id <<< x",
        "evil & sudo id",
        "sudo id &",
        "sudo id |& evil",
        "sudo id &> x",
        "sudo id\nevil",
        "sudo id \\\n evil",
        "(sudo id)",
        "{ sudo id; }",
        "f() { sudo id; }",
        "sudo !!",
        "sudo !$",
        'sudo "!!"',
        "^evil^sudo",
        "sudo $'\\x69d'",
        "sudo id # and a comment",
        "sudo id ;; evil",
        "sudo id ||| evil",
        "| sudo id",
        "sudo id |",
        "sudo id &&",
        "sudo 'id",
        'sudo "id',
        "sudo 'a\\'b",
        "sudo id \x1b[A",
        "sudo id >",
        "sudo id >| x",
        "sudo $x[1]",
        "sudo " + "x" * 5000,
    ],
)
def test_what_may_be_more_than_it_says_is_not_plain(line: str) -> None:
    assert plain.commands(line) is None


@pytest.mark.parametrize("word", ["$x", '"a$x"', "$?", "*.txt", "a?", "[ab]", "~/x", "=ls", "a^b"])
def test_what_the_shell_changes_is_not_known(word: str) -> None:
    found = plain.commands(f"ls {word}")

    assert found is not None
    assert [one.known for one in found[0].words] == [True, False]


def test_files_that_are_written_are_told_and_numbers_are_none() -> None:
    found = plain.commands("echo 2 > /dev/tty 2>/dev/null 1>&2")

    assert found is not None
    assert [word.text for word in found[0].words] == ["echo", "2"]
    assert [word.text for word in found[0].writes] == ["/dev/tty", "/dev/null"]


def test_the_joints_are_told() -> None:
    found = plain.commands("a | b && c || d ; e")

    assert found is not None
    assert [one.joint for one in found] == ["", "|", "&&", "||", ";"]


@given(st.text(max_size=40))
def test_any_text_is_taken_apart_or_not_plain(text: str) -> None:
    found = plain.commands(text)

    assert found is None or all(one.words for one in found)


@given(st.text(alphabet="sudo -$`(){}[]|&;<>'\"\\!#*~ \n", max_size=30))
def test_a_line_that_runs_something_else_is_never_plain(text: str) -> None:
    outside = text.replace("'", "").replace("\\", "")

    if "'" not in text and "\\" not in text and ("`" in outside or "$(" in outside):
        assert plain.commands(text) is None
