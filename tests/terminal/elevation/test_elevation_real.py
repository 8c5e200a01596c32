"""Real sudo, su and doas, on a host of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from elevated_host import PASSWORD, ROOTS, USER, host

from watchgate.terminal.elevation.outcomes import Ask, Proof, Rejected, Withheld

pytestmark = [pytest.mark.real, pytest.mark.root]


@pytest.fixture(autouse=True)
def programs(program: Callable[[str], str]) -> None:
    for name in ("sudo", "unshare", "setpriv", "setsid", "mount", "bash"):
        program(name)


@pytest.mark.parametrize("hooked", [True, False])
def test_sudo_is_answered_and_nobody_sees_the_password(tmp_path: Path, hooked: bool) -> None:
    with host(tmp_path, sudoers=f"Defaults lecture=always\n{USER} ALL=(ALL) ALL") as there:
        seen = there.run("sudo id -u", hooked=hooked)

    proof = Proof.INTEGRATION if hooked else Proof.PATTERN
    assert there.outcomes == [Ask("sudo", USER, f"[sudo] password for {USER}:", proof)]
    assert b"\r\n0\r\n" in seen
    assert PASSWORD.encode() not in seen


def test_sudo_with_a_filter_behind_it_is_answered(tmp_path: Path) -> None:
    with host(tmp_path) as there:
        seen = there.run("cd / && sudo cat /etc/shadow | grep -c root", hooked=True)

    assert b"\r\n1\r\n" in seen
    assert isinstance(there.outcomes[0], Ask)


def test_what_sudo_runs_does_not_see_the_mark(tmp_path: Path) -> None:
    with host(tmp_path) as there:
        seen = there.run("sudo env", hooked=True)

    assert b"SUDO_USER=" in seen
    assert b"SUDO_PROMPT" not in seen


def test_sudo_that_remembers_asks_nothing(tmp_path: Path) -> None:
    with host(tmp_path) as there:
        there.run("sudo true", hooked=True)
        there.run("sudo id -u", hooked=True)
        there.run("sudo id -u")

    assert len(there.outcomes) == 1


@pytest.mark.parametrize("hooked", [True, False])
def test_a_wrong_password_is_tried_once(tmp_path: Path, hooked: bool) -> None:
    sudoers = f"Defaults passwd_tries=2\n{USER} ALL=(ALL) ALL"
    with host(tmp_path, sudoers=sudoers, secret="not-the-password") as there:
        there.run("sudo id -u", hooked=hooked, operator=b"neither\n")

    assert isinstance(there.outcomes[0], Ask)
    assert there.outcomes[1:] == [Rejected("sudo", USER)]
    assert not there.elevation.enabled


def test_a_sudo_that_gives_up_at_once_was_answered_wrong(tmp_path: Path) -> None:
    sudoers = f"Defaults passwd_tries=1\n{USER} ALL=(ALL) ALL"
    with host(tmp_path, sudoers=sudoers, secret="not-the-password") as there:
        there.run("sudo id -u", hooked=True)

    assert there.outcomes[1:] == [Rejected("sudo", USER)]


def test_a_prompt_that_the_line_gives_is_answered(tmp_path: Path) -> None:
    with host(tmp_path) as there:
        seen = there.run("sudo -p '%p on %h, 100%%? ' id -u", hooked=True)

    asked = there.outcomes[0]
    assert isinstance(asked, Ask)
    assert asked.prompt.startswith(f"{USER} on ")
    assert b"\r\n0\r\n" in seen


def test_a_prompt_of_the_administrator_is_answered_by_its_mark(tmp_path: Path) -> None:
    sudoers = f'Defaults passprompt="Corporate secret: "\n{USER} ALL=(ALL) ALL'
    with host(tmp_path, sudoers=sudoers) as there:
        seen = there.run("sudo id -u", hooked=True)

    assert b"\r\n0\r\n" in seen


def test_roots_password_is_given_where_sudo_asks_for_it(tmp_path: Path) -> None:
    sudoers = f"Defaults rootpw\n{USER} ALL=(ALL) ALL"
    with host(tmp_path, sudoers=sudoers, whose="root", secret=ROOTS) as there:
        seen = there.run("sudo id -u", hooked=True)

    assert there.outcomes == [Ask("sudo", "root", "[sudo] password for root:", Proof.INTEGRATION)]
    assert b"\r\n0\r\n" in seen


def test_another_users_password_is_not_given(tmp_path: Path) -> None:
    sudoers = f"Defaults rootpw\nDefaults passwd_tries=1\n{USER} ALL=(ALL) ALL"
    with host(tmp_path, sudoers=sudoers) as there:
        there.run("sudo id -u", hooked=True, operator=b"not-known\n")

    assert isinstance(there.outcomes[0], Withheld)
    assert "the password of root" in there.outcomes[0].reason


def test_of_two_questions_the_first_is_answered(tmp_path: Path) -> None:
    # pam_ftp asks in words of its own, and whatever is answered is as good.
    pam = (
        "auth required pam_unix.so\nauth optional pam_ftp.so\n"
        "account required pam_unix.so\nsession required pam_permit.so\n"
    )
    with host(tmp_path, pam=pam) as there:
        seen = there.run(
            "sudo id -u", hooked=True, operator=b"123456\n", at=b"Password required for"
        )

    assert [type(one) for one in there.outcomes] == [Ask]
    assert b"\r\n0\r\n" in seen
    assert there.elevation.enabled


def test_stars_for_what_is_typed_do_not_tell_its_length(tmp_path: Path) -> None:
    sudoers = f"Defaults pwfeedback\n{USER} ALL=(ALL) ALL"
    with host(tmp_path, sudoers=sudoers) as there:
        seen = there.run("sudo id -u", hooked=True)

    assert b"*" not in seen
    assert b"\r\n0\r\n" in seen


@pytest.mark.parametrize("language", ["cs", "de", "fr", "ja", "ru", "zh_CN"])
def test_sudo_asks_in_the_operators_language(tmp_path: Path, language: str) -> None:
    catalog = Path(f"/usr/share/locale/{language}/LC_MESSAGES/sudoers.mo")
    if not catalog.exists():
        pytest.skip("sudo's translations are not installed")
    with host(
        tmp_path,
        sudoers=f"Defaults lecture=always\n{USER} ALL=(ALL) ALL",
        environment=("LC_ALL=C.UTF-8", f"LANGUAGE={language}"),
    ) as there:
        seen = there.run("sudo id -u")

    asked = there.outcomes[0]
    assert isinstance(asked, Ask)
    assert asked.account == USER
    assert b"\r\n0\r\n" in seen


@pytest.mark.parametrize("hooked", [True, False])
@pytest.mark.parametrize("line", ["su -c 'id -u'", "su root -c 'id -u'", "su --command='id -u'"])
def test_su_is_answered_with_the_password_of_whom_it_becomes(
    tmp_path: Path, line: str, hooked: bool
) -> None:
    with host(tmp_path, whose="root", secret=ROOTS) as there:
        seen = there.run(line, hooked=hooked)

    assert there.outcomes == [Ask("su", "root", "Password:", Proof.PATTERN)]
    assert b"\r\n0\r\n" in seen
    assert ROOTS.encode() not in seen


def test_a_wrong_password_for_su_is_known(tmp_path: Path) -> None:
    with host(tmp_path, whose="root", secret="not-the-password") as there:
        there.run("su -c id", hooked=True)

    assert there.outcomes[1:] == [Rejected("su", "root")]


def test_doas_is_answered(tmp_path: Path, program: Callable[[str], str]) -> None:
    program("doas")
    with host(tmp_path) as there:
        seen = there.run("doas id -u", hooked=True)

    assert [type(one) for one in there.outcomes] == [Ask]
    assert b"\r\n0\r\n" in seen


def test_a_wrong_password_for_doas_is_known(tmp_path: Path, program: Callable[[str], str]) -> None:
    program("doas")
    with host(tmp_path, secret="not-the-password") as there:
        there.run("doas id -u", hooked=True)

    assert there.outcomes[1:] == [Rejected("doas", USER)]


FAKE = """#!/bin/bash
printf '[sudo] password for %s: ' {user}
printf '{mark}'
read -rst 1 got
echo "got=<$got>"
"""


@pytest.mark.parametrize(
    "line", ["{fake}", "sudo {fake}", "sudo -n true; {fake}", "{fake} | sudo cat", "sudo -E {fake}"]
)
@pytest.mark.parametrize("hooked", [True, False])
def test_an_imitation_gets_nothing_even_where_sudo_asks_nothing(
    tmp_path: Path, line: str, hooked: bool
) -> None:
    mark = f"\\033]7717;n;00;{USER}\\007"
    (tmp_path / "imitation").write_text(FAKE.format(user=USER, mark=mark))
    with host(tmp_path, sudoers=f"{USER} ALL=(ALL) NOPASSWD:SETENV: ALL") as there:
        seen = there.run(line.format(fake="/mnt/imitation"), hooked=hooked)

    assert b"got=<>" in seen
    assert not [one for one in there.outcomes if isinstance(one, Ask)]
