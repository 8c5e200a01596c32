"""The life of a prompt, from its line to its end."""

from __future__ import annotations

import pytest
from elevation_world import SECOND, TOKEN, TOLD, Seat, readings
from test_elevation_output import LECTURE, NOTE

from watchgate.terminal.elevation.elevation import MOST_BEFORE, Elevation
from watchgate.terminal.elevation.outcomes import Ask, Proof, Rejected, Withheld

PROMPT = "[sudo] password for alice: "
CRLF_LECTURE = LECTURE.replace("\n", "\r\n")


def by_mark(user: str = "alice") -> Ask:
    return Ask("sudo", user, f"[sudo] password for {user}:", Proof.INTEGRATION)


def by_form(program: str = "sudo", user: str = "alice", prompt: str = PROMPT) -> Ask:
    return Ask(program, user, prompt.strip(), Proof.PATTERN)


# --- with hooks ----------------------------------------------------------------------------------


def test_sudos_own_mark_is_answered_at_once() -> None:
    seat = Seat()
    seat.hooked("sudo id")
    seat.prints("\x1b[?2004l\r", CRLF_LECTURE)

    assert seat.shows() == by_mark()
    seat.prints(PROMPT)
    waiting = [seat.elevation.waiting]
    seat.answers()
    waiting.append(seat.elevation.waiting)
    assert waiting == [by_mark(), None]
    assert seat.prints("\r\n", "uid=0(root)\r\n") is None
    assert seat.ends(0) is None


def test_a_token_is_wanted_where_only_sudo_would_see_it() -> None:
    elevation = Elevation("unix", enabled=True, account="alice")

    def wanted(line: str) -> bool:
        return elevation.wants_token(readings(line), TOLD)

    assert wanted("sudo id")
    assert wanted("sudo id | grep x")
    assert not wanted("sudo -p x id")
    assert not wanted("sudo -E id")
    assert not wanted("su -")
    assert not wanted("doas id")
    assert not wanted("ls")
    assert not wanted("evil | sudo id")
    assert not elevation.wants_token(readings("sudo id"), {})
    assert not elevation.wants_token(readings("sudo id"), None)
    assert not elevation.wants_token(readings("sudo id"), {"sudo": "alias"})
    assert not Elevation("cisco", enabled=True, account="a").wants_token(readings("sudo"), TOLD)


def test_the_second_question_of_one_sudo_is_the_operators() -> None:
    seat = Seat()
    seat.hooked("sudo id")
    seat.shows()
    seat.prints(PROMPT)
    seat.answers()

    assert seat.prints("\r\n", "Verification code: ") is None
    seat.types()
    assert seat.prints("\r\n", "uid=0(root)\r\n") is None
    assert seat.ends(0) is None
    assert seat.elevation.enabled


def test_two_questions_that_are_asked_again_were_answered_wrong() -> None:
    # Which of the two was wrong, nobody is told: a wrong password must not be tried twice.
    seat = Seat()
    seat.hooked("sudo id")
    seat.shows()
    seat.answers()
    seat.prints(PROMPT, "\r\n", "Verification code: ")
    seat.types()
    seat.prints("\r\nSorry, try again.\r\n")

    assert isinstance(seat.shows(), Rejected)
    assert not seat.elevation.enabled


def test_a_second_mark_without_a_word_is_a_second_question_and_not_a_wrong_answer() -> None:
    seat = Seat()
    seat.hooked("sudo id")
    seat.shows()
    seat.answers()
    seat.prints(PROMPT, "\r\n")

    assert seat.shows() == Withheld(
        "sudo", "it asks a second question, which is the operator's to answer"
    )
    assert seat.elevation.enabled


def test_a_wrong_answer_is_the_last_of_the_session() -> None:
    seat = Seat()
    seat.hooked("sudo id")
    seat.shows()
    seat.prints(PROMPT)
    seat.answers()
    seat.prints("\r\n", "Das hat nicht funktioniert, bitte nochmal probieren.\r\n")

    assert seat.shows() == Rejected("sudo", "alice")
    assert not seat.elevation.enabled
    seat.ends()
    assert not seat.elevation.wants_token(readings("sudo id"), TOLD)
    seat.runs("sudo id")
    assert seat.asks(PROMPT) is None


def test_a_prompt_that_the_line_gives_is_answered_by_its_form() -> None:
    seat = Seat()
    seat.hooked("sudo -p 'Pass of %p? ' id")

    assert seat.asks("Pass of alice? ") == by_form(prompt="Pass of alice?")


def test_su_and_doas_have_no_mark_and_are_answered_by_their_form() -> None:
    seat = Seat(whose="root")
    seat.hooked("su -")
    assert seat.asks("\r\nPassword: ") == by_form("su", "root", "Password:")

    seat = Seat()
    seat.hooked("doas id")
    assert seat.asks("\rdoas (alice@web1) password: ") == by_form(
        "doas", "alice", "doas (alice@web1) password:"
    )


# --- without -------------------------------------------------------------------------------------


@pytest.mark.parametrize("before", ["", "\r\n", "\x1b[?2004l\r", "\r\n" + CRLF_LECTURE, NOTE])
def test_a_prompt_directly_behind_its_line_is_answered_after_a_silence(before: str) -> None:
    seat = Seat()
    seat.runs("sudo id")

    assert seat.prints(before, PROMPT) is None
    assert seat.elevation.waiting is None
    assert seat.silence() == by_form()
    assert seat.elevation.waiting == by_form()


def test_a_prompt_in_pieces_is_a_prompt() -> None:
    text = ("\r\n" + "[sudo] Mot de passe de alice\u00a0: ").encode()
    for cut in range(1, len(text)):
        seat = Seat()
        seat.runs("sudo id")

        assert isinstance(seat.asks(text[:cut], text[cut:]), Ask)


def test_a_prompt_octet_by_octet_is_asked_once() -> None:
    seat = Seat()
    seat.runs("sudo id")
    for octet in ("\r\n" + CRLF_LECTURE + PROMPT).encode():
        assert seat.prints(bytes([octet])) is None

    assert seat.silence() == by_form()
    assert seat.silence() is None


def test_a_wrong_answer_is_known_without_hooks_too() -> None:
    seat = Seat()
    seat.runs("sudo id")
    seat.asks(PROMPT)
    seat.answers()

    assert seat.prints("\r\nSorry, try again.\r\n" + PROMPT) == Rejected("sudo", "alice")


def test_a_second_question_is_known_without_hooks_too() -> None:
    seat = Seat()
    seat.runs("sudo id")
    seat.asks(PROMPT)
    seat.answers()

    assert isinstance(seat.prints("\r\n" + PROMPT), Withheld)
    assert seat.elevation.enabled


@pytest.mark.parametrize(
    ("line", "prompt", "denial"),
    [
        ("su", "Password: ", "\r\nsu: Authentication failure\r\n"),
        ("sudo id", "[sudo] password for root: ", "\r\nsudo: 1 incorrect password attempt\r\n"),
    ],
)
def test_an_elevation_that_gives_up_at_once_was_answered_wrong(
    line: str, prompt: str, denial: str
) -> None:
    for status in (None, 1):
        seat = Seat(whose="root")
        seat.runs(line)
        seat.asks(prompt)
        seat.answers()
        seat.prints(denial)

        assert isinstance(seat.ends(status), Rejected)
        assert not seat.elevation.enabled


def test_an_elevation_that_ended_well_was_answered_right() -> None:
    seat = Seat(whose="root")
    seat.runs("su -c true")
    seat.asks("Password: ")
    seat.answers()
    seat.prints("\r\nsu: something\r\n")

    assert seat.ends(0) is None
    assert seat.elevation.enabled


def test_each_line_is_answered_anew() -> None:
    seat = Seat()
    for _ in range(3):
        seat.runs("sudo id")
        assert seat.asks(PROMPT) == by_form()
        seat.answers()
        seat.prints("\r\nuid=0(root)\r\n")
        seat.ends()


def test_a_device_is_enabled() -> None:
    seat = Seat(device="cisco", account="monitor", whose="enable")
    seat.runs("enable")
    asked = seat.asks("\r\nPassword: ")
    seat.answers()

    assert asked == Ask("enable", "", "Password:", Proof.PATTERN)
    assert seat.prints("\r\nPassword: ") == Rejected("enable", "")


# --- whose password ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("whose", "line", "prompt", "fits"),
    [
        ("", "sudo id", "[sudo] password for alice: ", True),
        ("alice", "sudo id", "[sudo] password for alice: ", True),
        ("alice-sudo", "sudo id", "[sudo] password for alice: ", True),
        ("root", "sudo id", "[sudo] password for alice: ", False),
        ("root", "sudo id", "[sudo] password for root: ", True),
        ("", "sudo id", "[sudo] password for root: ", False),
        ("root", "sudo id", "[sudo: authenticate] Password: ", False),
        ("", "sudo id", "[sudo: authenticate] Password: ", True),
        ("root", "su", "Password: ", True),
        ("", "su", "Password: ", False),
        ("root", "su bob", "Password: ", False),
        ("bob", "su bob", "Password: ", True),
        ("", "doas id", "doas (alice@web1) password: ", True),
        ("root", "doas id", "doas (alice@web1) password: ", False),
    ],
)
def test_a_password_is_given_to_who_asks_for_it(
    whose: str, line: str, prompt: str, fits: bool
) -> None:
    seat = Seat(whose=whose)
    seat.runs(line)

    assert isinstance(seat.asks(prompt), Ask if fits else Withheld)


def test_the_mark_says_whose_password_sudo_wants() -> None:
    seat = Seat()
    seat.hooked("sudo id")

    assert seat.shows(user="root") == Withheld(
        "sudo", "it asks for the password of root, and the grant gives that of alice"
    )


# --- hands off -----------------------------------------------------------------------------------


@pytest.mark.parametrize("at", ["before", "while it settles", "while it is fetched"])
def test_an_operator_who_types_answers_himself(at: str) -> None:
    seat = Seat()
    seat.runs("sudo id")
    if at == "before":
        seat.types()
    seat.prints(PROMPT)
    if at == "while it settles":
        seat.types()
    seat.silence()
    if at == "while it is fetched":
        assert seat.elevation.waiting is not None
        seat.types()

    assert seat.elevation.waiting is None
    assert not seat.elevation.watching


def test_a_secret_that_there_is_not_leaves_the_prompt_to_the_operator() -> None:
    seat = Seat()
    seat.runs("sudo id")
    seat.asks(PROMPT)
    seat.elevation.withheld(seat.t_us)

    assert seat.elevation.waiting is None
    assert seat.elevation.enabled


def test_nothing_is_asked_without_a_grant_or_of_root() -> None:
    for seat in (Seat(enabled=False), Seat(account="root")):
        seat.hooked("sudo id")

        assert not seat.elevation.enabled
        assert seat.shows() is None
        assert seat.asks("[sudo] password for root: ") is None


def test_a_line_that_is_not_certain_is_left_to_the_operator() -> None:
    seat = Seat()
    seat.runs("sudo id", exact=False)

    assert seat.asks(PROMPT) == Withheld("sudo", "its line is not known for certain")


@pytest.mark.parametrize(
    ("line", "told", "reason"),
    [
        ("sudo id", {}, "the shell takes sudo for an alias"),
        ("sudo id; su", {"sudo": "/bin/sudo", "su": "/tmp/su"}, "the shell takes su for"),
        ("./fake | sudo id", TOLD, "something else in its line"),
        ("sudo -S id", None, "something else in its line"),
    ],
)
def test_it_says_why_an_elevation_is_left_to_the_operator(
    line: str, told: dict[str, str] | None, reason: str
) -> None:
    seat = Seat()
    seat.runs(line, resolved=told)
    found = seat.asks("\r\nPassword: ") or seat.asks("\r\n" + PROMPT)

    assert isinstance(found, Withheld)
    assert found.reason.startswith(reason)


def test_it_does_not_wait_for_ever() -> None:
    seat = Seat()
    seat.runs("sudo id")
    seat.t_us += 31 * SECOND

    assert seat.asks(PROMPT) is None
    assert not seat.elevation.watching


def test_it_keeps_little_of_what_is_printed() -> None:
    seat = Seat()
    seat.runs("sudo id")
    assert seat.prints("x" * (MOST_BEFORE + 1)) is None
    assert not seat.elevation.watching

    seat.runs("sudo id")
    seat.asks(PROMPT)
    seat.answers()
    assert seat.prints("x" * 100_000) is None
    assert not seat.elevation.watching


def test_calls_out_of_turn_do_nothing() -> None:
    seat = Seat()
    seat.answers()
    seat.types()
    seat.elevation.withheld(0)

    assert seat.ends() is None
    assert seat.elevation.expire(10**12) is None
    assert seat.shows(TOKEN) is None
    assert seat.prints(PROMPT) is None
    assert seat.elevation.waiting is None
