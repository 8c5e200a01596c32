"""Prompts that are not what they seem: none of them is answered."""

from __future__ import annotations

import pytest
from elevation_world import TOKEN, TOLD, Seat
from hypothesis import given
from hypothesis import strategies as st

from watchgate.terminal.elevation import prompts
from watchgate.terminal.elevation.outcomes import Ask
from watchgate.terminal.elevation.requests import Request

PROMPT = "[sudo] password for alice: "
FAKES = (
    "[sudo] password for alice: ", "[sudo] password for root: ", "Password: ", "\r\nPassword:",
    "[sudo: authenticate] Password: ", "[sudo] Passwort für alice: ", "doas (alice@web1) password: ",
    "\x1b[2J\x1b[H[sudo] password for alice: ", "alice's Password: ", "密码：",
)  # fmt: skip


@pytest.mark.parametrize("fake", FAKES)
@pytest.mark.parametrize(
    "line",
    [
        "./fake",
        "cat fake.txt",
        "ssh web2",
        "python3 fake.py",
        "sudo-fake id",
        "./sudo id",
        "sh -c 'sudo id'",
        "nohup sudo id",
        "for i in 1; do sudo id; done",
        "time sudo id",
    ],
)
def test_a_program_that_imitates_a_prompt_gets_nothing(line: str, fake: str) -> None:
    for hooked in (True, False):
        seat = Seat()
        if hooked:
            seat.hooked(line)
        else:
            seat.runs(line)

        assert not isinstance(seat.asks(fake), Ask)
        assert not isinstance(seat.shows(), Ask)


@pytest.mark.parametrize("fake", FAKES)
@pytest.mark.parametrize(
    "line",
    [
        "./fake | sudo id",
        "sudo id | ./fake",
        "sudo -n true; ./fake",
        "sudo -n true && ./fake",
        "./fake; sudo id",
        "sudo id; sudo ./fake",
        "sudo -S id < /dev/tty",
        "sudo -A id",
        "sudoedit /etc/hosts",
        "sudo -e /etc/hosts",
        "sudo $(./fake)",
        "SUDO_ASKPASS=./fake sudo -A id",
        "sudo id &",
    ],
)
def test_an_imitation_beside_an_elevation_gets_nothing(line: str, fake: str) -> None:
    for hooked in (True, False):
        seat = Seat(whose="root" if "root" in fake else "")
        if hooked:
            seat.hooked(line)
        else:
            seat.runs(line)

        assert not isinstance(seat.asks(fake), Ask)


@pytest.mark.parametrize("line", ["sudo id", "su", "doas id", "sudo -p 'Password: ' id"])
@pytest.mark.parametrize("fake", FAKES)
def test_an_alias_or_a_function_of_that_name_gets_nothing(line: str, fake: str) -> None:
    for whose in ("", "root"):
        seat = Seat(whose=whose)
        seat.runs(line, resolved={})

        assert not isinstance(seat.asks(fake), Ask)


@pytest.mark.parametrize("fake", FAKES)
def test_with_hooks_only_the_mark_counts(fake: str) -> None:
    seat = Seat(whose="root" if "root" in fake else "")
    seat.hooked("sudo ./fake")

    assert not isinstance(seat.asks("\r\n" + fake), Ask)


@pytest.mark.parametrize(
    "token", [b"", b"f00d", TOKEN[:-1], TOKEN + b"0", TOKEN.upper(), b"\xff" * 16]
)
def test_a_guessed_mark_gets_nothing(token: bytes) -> None:
    seat = Seat()
    seat.hooked("sudo id")

    assert not isinstance(seat.shows(token), Ask)
    assert not isinstance(seat.shows(), Ask)


def test_the_mark_of_the_line_before_gets_nothing() -> None:
    seat = Seat()
    seat.hooked("sudo id")
    seat.ends()
    seat.runs("sudo id", resolved=TOLD, token=b"another-token-00")

    assert not isinstance(seat.shows(TOKEN), Ask)


def test_a_mark_that_was_used_gets_nothing_more() -> None:
    seat = Seat()
    seat.hooked("sudo ./fake")
    assert isinstance(seat.shows(), Ask)
    seat.answers()
    seat.prints("\r\n")

    assert not isinstance(seat.shows(), Ask)
    assert not isinstance(seat.shows(), Ask)
    assert seat.elevation.waiting is None


def test_a_mark_without_a_token_on_the_line_gets_nothing() -> None:
    for line in ("sudo -E id", "sudo -p x id", "evil | sudo id", "su"):
        seat = Seat()
        seat.hooked(line)

        assert not isinstance(seat.shows(), Ask)


@pytest.mark.parametrize("user", ["alice\x1b[2J", "alice; rm", "x" * 65, "alice bob", "\n"])
def test_a_mark_that_names_nonsense_gets_nothing(user: str) -> None:
    seat = Seat()
    seat.hooked("sudo id")

    assert not isinstance(seat.shows(user=user), Ask)


@pytest.mark.parametrize(
    "before",
    [
        "hello\r\n",
        "\x1b[2J\x1b[H",
        "\x1b[5A\x1b[K",
        "alice@web1:~$ \r\n",
        "hello\r",
        "\x1b]0;" + "x" * 2000 + "\x07",
        "uid=0(root)\r\n",
    ],
)
def test_a_prompt_behind_something_else_gets_nothing(before: str) -> None:
    seat = Seat()
    seat.runs("sudo id")

    assert not isinstance(seat.asks(before + PROMPT), Ask)


@pytest.mark.parametrize("behind", ["\r\n", "x", "\r\nalice@web1:~$ ", "\x1b[2K", " "])
def test_a_prompt_that_is_only_printed_gets_nothing(behind: str) -> None:
    seat = Seat()
    seat.runs("sudo cat /etc/issue")

    assert not isinstance(seat.asks(PROMPT, behind), Ask)


@pytest.mark.parametrize("behind", ["\r\nalice@web1:~$ ", "x"])
def test_what_follows_while_the_secret_is_fetched_takes_the_question_back(behind: str) -> None:
    seat = Seat()
    seat.runs("sudo id")
    assert isinstance(seat.asks(PROMPT), Ask)
    seat.prints(behind)

    assert seat.elevation.waiting is None


@pytest.mark.parametrize("line", ["sudo ./fake", "sudo python3 fake.py", "sudo tail -f fake.txt"])
def test_what_could_imitate_a_prompt_from_within_an_elevation_gets_nothing_by_form(
    line: str,
) -> None:
    seat = Seat()
    seat.runs(line)

    assert not isinstance(seat.asks("\r\n" + PROMPT), Ask)


def test_what_a_program_asks_under_sudo_is_not_sudos_question() -> None:
    for prompt in ("Password: ", "Enter password: ", "Password for user postgres: "):
        seat = Seat()
        seat.runs("sudo -u postgres psql -W")

        assert not isinstance(seat.asks("\r\n" + prompt), Ask)


def test_a_shell_in_between_is_not_answered_when_its_lines_are_not_told() -> None:
    seat = Seat()
    seat.hooked("ssh web2")

    assert seat.asks("web2$ sudo id\r\n" + PROMPT) is None


@given(st.lists(st.binary(max_size=60), max_size=12))
def test_no_output_makes_it_answer_more_than_once_a_line(chunks: list[bytes]) -> None:
    seat = Seat()
    seat.runs("sudo id")
    asked = 0
    for chunk in chunks:
        asked += isinstance(seat.prints(chunk), Ask)
        asked += isinstance(seat.silence(), Ask)
        if seat.elevation.waiting:
            seat.answers()

    assert asked <= 1


@given(st.text(max_size=200))
def test_any_text_is_a_prompt_or_none_and_quickly(text: str) -> None:
    for program in ("sudo", "su", "doas", "enable"):
        prompts.asked(text, Request(program, user="root"), "alice")
    found = prompts.asked(text, Request("sudo", prompt=text), "alice")

    assert found is None or text.strip()
