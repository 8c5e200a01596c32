from __future__ import annotations

import pytest

from watchgate.terminal.elevation import output

LECTURE = (
    "\nWe trust you have received the usual lecture from the local System\n"
    "Administrator. It usually boils down to these three things:\n\n"
    "    #1) Respect the privacy of others.\n    #2) Think before you type.\n"
    "    #3) With great power comes great responsibility.\n\n"
    "For security reasons, the password you type will not be visible.\n\n"
)
GERMAN = (
    "\nWir gehen davon aus, dass der lokale Systemadministrator Ihnen die\n"
    "Regeln erklärt hat. Normalerweise läuft es auf drei Regeln hinaus:\n\n"
    "    #1) Respektieren Sie die Privatsphäre anderer Benutzer.\n"
    "    #2) Denken Sie nach, bevor Sie tippen.\n"
    "    #3) Mit großer Macht kommt große Verantwortung.\n\n"
)
RUSSIAN = GERMAN.replace("#", "№")
CZECH = GERMAN.replace("#", "").replace(")", ".")
SLOVAK = GERMAN.replace("#", "").replace(")", ".)")
NOTE = "sudo: unable to resolve host web1: Name or service not known\n"


@pytest.mark.parametrize(
    "body",
    ["", "\n", " \n\n", LECTURE, GERMAN, RUSSIAN, CZECH, SLOVAK, NOTE, NOTE + LECTURE],
)
def test_sudo_may_say_something_before_it_asks(body: str) -> None:
    assert output.comes_before(body, "sudo")


@pytest.mark.parametrize(
    "body",
    [
        "hello\n",
        LECTURE + LECTURE,
        LECTURE.replace("#2)", "##"),
        LECTURE.replace("#3)", "#4)"),
        LECTURE + "#4) Pay.\n",
        LECTURE.replace("#1)", "#2)"),
        "a\n" * 10 + LECTURE,
        NOTE * 4,
        LECTURE + "x" * 3000,
        "\x1b[2J" + LECTURE,
        "sudo: " + "x" * 400,
    ],
)
def test_what_else_is_printed_was_not_sudo(body: str) -> None:
    assert not output.comes_before(body, "sudo")


def test_only_sudo_has_something_to_say() -> None:
    assert output.comes_before("\n", "su")
    assert not output.comes_before(LECTURE, "su")
    assert not output.comes_before(NOTE, "doas")


@pytest.mark.parametrize(
    ("text", "body", "last"),
    [
        ("\r\nPassword: ", "", "Password: "),
        ("\x1b[?2004l\r\r\nPassword: ", "\r", "Password: "),
        ("\x1b]0;su - bob\x07\x1b[?1l\x1b>Password: ", "", "Password: "),
        ("\x1b]133;C\x1b\\\x1b[0m\x07Password: ", "", "Password: "),
        ("\rdoas (a@b) password: ", "", "doas (a@b) password: "),
        ("\x1b[1APassword: ", "", "\x1b[1APassword: "),
        ("a\r\nb", "a", "b"),
        ("a\rb", "", "a\rb"),
    ],
)
def test_what_nobody_sees_is_taken_out_and_what_moves_stays(
    text: str, body: str, last: str
) -> None:
    found_body, found_last = output.split(text)

    assert (found_body.strip("\n"), found_last) == (body, last)


@pytest.mark.parametrize(
    ("program", "text", "denied"),
    [
        ("sudo", "\r\nSorry, try again.\r\nsudo: 1 incorrect password attempt\r\n", True),
        ("sudo", "\r\nsudo: 1 falsche Passworteingabe\r\n", True),
        ("sudo", "\r\nsudo: frobnicate: command not found\r\n", False),
        ("sudo", "\r\nuid=0(root)\r\n", False),
        ("su", "\r\nsu: Authentication failure\r\n$ ", True),
        ("su", "\r\nsu: Fehler bei der Authentifizierung\r\n", True),
        ("su", "\r\nsu: warning: cannot change directory to /home/x\r\n", False),
        ("su", "\r\nroot@web1:~# ", False),
        ("doas", "\r\ndoas: Authentication failed\r\n", True),
        ("doas", "\r\ndoas: id: command not found\r\n", False),
        ("enable", "\r\n% Access denied\r\n\r\nr1>", True),
        ("enable", "\r\n% Bad secrets\r\n", True),
        ("super", "\r\nError: Wrong password.\r\n", True),
        ("enable", "\r\nr1#", False),
        ("sudo", "", False),
    ],
)
def test_a_wrong_answer_is_known_by_what_follows(program: str, text: str, denied: bool) -> None:
    assert output.is_denial(text, program) is denied
