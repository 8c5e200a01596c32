from __future__ import annotations

import pytest
from elevation_world import TOLD, readings

from watchgate.terminal.elevation import company, requests
from watchgate.terminal.elevation.plain import Word
from watchgate.terminal.elevation.requests import Request

ANSWERED: dict[str, Request] = {
    "sudo id": Request("sudo", marked=True, bare=False),
    "sudo -i": Request("sudo", marked=True),
    "sudo -v": Request("sudo", marked=True),
    "sudo -k id": Request("sudo", marked=True),
    "sudo --reset-timestamp id": Request("sudo", marked=True),
    "/usr/bin/sudo -u bob -- id -p x": Request("sudo", marked=True, bare=False),
    "sudo -ubob id": Request("sudo", marked=True, bare=False),
    "sudo --user=bob --login": Request("sudo", marked=True),
    "sudo --user bob id": Request("sudo", marked=True, bare=False),
    "sudo FOO=bar id": Request("sudo", marked=True, bare=False),
    "sudo ls /root/*.txt $HOME": Request("sudo", marked=True, bare=False),
    "cd /srv && sudo id": Request("sudo", marked=True, bare=False),
    "echo x | sudo tee /etc/issue": Request("sudo", marked=True, bare=False),
    "sudo cat /etc/shadow | grep root | wc -l": Request("sudo", marked=True, bare=False),
    "sudo id > /tmp/out 2>&1": Request("sudo", marked=True, bare=False),
    "sudo -p 'Secret of %u: ' id": Request("sudo", prompt="Secret of %u: ", bare=False),
    "sudo --prompt=Secret: id": Request("sudo", prompt="Secret:", bare=False),
    "sudo -E id": Request("sudo", bare=False),
    "sudo --preserve-env=SUDO_PROMPT id": Request("sudo", bare=False),
    "sudo ./mine": Request("sudo", marked=True, bare=False, settled=False),
    "sudo sh -c id": Request("sudo", marked=True, bare=False, settled=False),
    "sudo tail -f fake": Request("sudo", marked=True, bare=False, settled=False),
    "sudo tail -f /var/log/syslog": Request("sudo", marked=True, bare=False),
    "sudo bash": Request("sudo", marked=True, bare=False),
    "sudo su -": Request("sudo", marked=True, bare=False),
    "su": Request("su", user="root"),
    "su -": Request("su", user="root"),
    "su - bob -c 'id -u'": Request("su", user="bob"),
    "su -l -s /bin/sh bob": Request("su", user="bob"),
    "su --login --command=id bob": Request("su", user="bob"),
    "doas id": Request("doas"),
    "doas -u bob id": Request("doas"),
    "doas ./mine": Request("doas", settled=False),
}


@pytest.mark.parametrize("line", ANSWERED)
def test_an_elevation_is_known_by_its_line(line: str) -> None:
    assert requests.of(readings(line), TOLD) == ANSWERED[line]
    assert requests.of(readings(line), None) == ANSWERED[line]


@pytest.mark.parametrize(
    "line",
    [
        "id",
        "./sudo id",
        "/tmp/sudo id",
        "/usr/bin/../../tmp/sudo id",
        "~/bin/sudo id",
        "$SUDO id",
        "command sudo id",
        "env sudo id",
        "FOO=1 sudo id",
        "SUDO_PROMPT=x sudo id",
        "sudo -S id",
        "sudo -A id",
        "sudo -n id",
        "sudo -b id",
        "sudo -e /etc/hosts",
        "sudoedit /etc/hosts",
        "sudo --stdin id",
        "sudo --askpass id",
        "sudo --ask id",
        "sudo -K",
        "sudo -kS id",
        "sudo -u",
        "sudo -Z id",
        "sudo $OPTIONS id",
        "sudo -u $WHO id",
        "evil | sudo id",
        "evil; sudo id",
        "sudo id; evil",
        "sudo id && ./fake",
        "sudo id | evil",
        "sudo id | /tmp/grep x",
        "sudo id | less",
        "sudo id; sudo id",
        "su -c id | grep x > /dev/tty",
        "echo '[sudo] password for alice: ' > /dev/tty | sudo id",
        "cat fake >/dev/pts/3; sudo id",
        "su $WHO",
        "su -h",
        "su --whatever",
        "doas -n id",
        "doas -C /tmp/doas.conf id",
    ],
)
def test_no_line_is_answered_in_which_something_else_could_ask(line: str) -> None:
    assert requests.of(readings(line), TOLD) is None
    assert requests.of(readings(line), None) is None


@pytest.mark.parametrize(
    "where",
    [
        {},
        {"sudo": "alias"},
        {"sudo": "function"},
        {"sudo": "/home/alice/bin/sudo"},
        {"sudo": "/tmp/sudo"},
        {"sudo": "sudo"},
        {"sudo": ""},
        {"su": "/usr/bin/su"},
    ],
)
def test_a_sudo_that_is_not_roots_is_none(where: dict[str, str]) -> None:
    assert requests.of(readings("sudo id"), where) is None


def test_a_function_with_the_name_of_a_path_is_not_that_program() -> None:
    assert requests.of(readings("/usr/bin/sudo id"), {"/usr/bin/sudo": "function"}) is None


def test_a_filter_that_is_the_operators_own_is_none() -> None:
    assert requests.of(readings("sudo id | grep x"), TOLD | {"grep": "/home/alice/grep"}) is None


def test_a_line_that_may_be_another_is_not_answered() -> None:
    assert requests.of(readings("sudo id", "sudo evil"), TOLD) is None
    assert requests.of(readings("sudo id", "sudo id"), TOLD) is not None
    assert requests.of((), TOLD) is None


def test_the_programs_of_a_line_are_named_even_where_they_are_not_answered() -> None:
    assert requests.names(readings("evil | sudo id; su")) == {"sudo", "su"}
    assert requests.names(readings("./sudo id")) == {"sudo"}
    assert requests.names(readings("ls")) == frozenset()


@pytest.mark.parametrize(
    ("device", "line", "program"),
    [
        ("cisco", "enable", "enable"),
        ("cisco", " EN 15 ", "enable"),
        ("cisco", "ena", "enable"),
        ("cisco", "show version", None),
        ("cisco", "enable secret x", None),
        ("cisco", "super", None),
        ("huawei", "super 3", "super"),
        ("huawei", "enable", None),
        ("juniper", "start shell user root", "su"),
        ("juniper", "enable", None),
        ("other", "enable", "enable"),
        ("cisco", "enable" + " " * 100 + "1", None),
        ("vax", "enable", None),
    ],
)
def test_a_device_is_asked_in_its_own_words(device: str, line: str, program: str | None) -> None:
    found = requests.of(readings(line), None, device)

    assert (found.program if found else None) == program


@pytest.mark.parametrize(
    ("line", "settled"),
    [
        ("", True),
        ("systemctl restart nginx", True),
        ("/usr/bin/id", True),
        ("/opt/tool/run", False),
        ("python3.11 -i", True),
        ("python3.11 x.py", False),
        ("cat /etc/passwd", True),
        ("cat /etc/../tmp/fake", False),
        ("echo hello", False),
        ("env", True),
        ("env ./x", False),
    ],
)
def test_what_runs_is_settled_when_it_is_not_the_operators_own(line: str, settled: bool) -> None:
    assert company.settled([Word(text) for text in line.split()]) is settled


def test_a_program_that_is_not_known_is_not_settled() -> None:
    assert not company.settled([Word("$X", known=False)])
