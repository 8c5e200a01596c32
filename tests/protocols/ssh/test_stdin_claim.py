"""What standard input is: commands, code of another language, or data."""

from __future__ import annotations

import pytest

from watchgate.policy.commands import KnownCommand, Source
from watchgate.policy.readings import readings
from watchgate.protocols.ssh.script_words import BOURNE, CSH, DEVICE, FISH
from watchgate.protocols.ssh.stdin_claim import Reads, StdinClaim, claims_stdin
from watchgate.session.model import Device

COMMANDS = [
    "bash",
    "sh",
    "bash -s",
    "bash -s -- one two",
    "bash -eux",
    "sh -",
    "bash --norc -o pipefail",
    "sudo bash",
    "sudo -n -u app bash -s",
    "sudo -i",
    "su - app",
    "env -i sh",
    "cd /srv && exec bash -s",
    "bash /dev/stdin x",
    "sh -c 'bash -s'",
    "sh -c bash",
    "nohup sh",
    "ssh other",
    "ssh other bash",
    "docker exec -i web sh",
    "kubectl exec -i web -- bash",
    "cat | bash",
    "tail -n +2 | sudo bash",
    "sed s/a/b/ | sh",
    "$SHELL -l",
    "exec $0 -s",
    'eval "$(cat)"',
    "busybox sh",
    "at now",
    "time bash",
    "bash < /dev/stdin",
    "{ bash; }",
    "if true; then sh; fi",
]
CODE = [
    ("python3 -", "python3"),
    ("python3", "python3"),
    ("/bin/sh -c '/usr/bin/python3 && sleep 0'", "python3"),
    ("/usr/bin/python3.11 -u -", "python3.11"),
    ("perl", "perl"),
    ("perl - arg", "perl"),
    ("ruby -", "ruby"),
    ("node", "node"),
    ("php", "php"),
    ("psql shop", "psql"),
    ("mysql -u root shop", "mysql"),
    ("sudo -u postgres psql", "psql"),
    ("sqlite3 /srv/app.db", "sqlite3"),
    ("ed /etc/hosts", "ed"),
]
DATA = [
    "cat > /tmp/x",
    "tar xf - -C /srv",
    "bash -c 'tar x'",
    "bash script.sh",
    "sh -c 'cat > f'",
    "python3 app.py",
    "python3 -c 'print(1)'",
    "python3 -m json.tool",
    "perl -ne print",
    "psql -c 'select 1'",
    "mysql -e 'select 1' shop",
    "echo ls | bash",
    "cat f | bash",
    "curl -s example.org/x | bash",
    "bash < script.sh",
    "bash <<< ls",
    "gzip -d > f",
    "ls",
    "tee f",
    "rsync --server . /srv",
    "git-receive-pack 'x.git'",
    "sudo tee /etc/motd",
]


def claim(line: str) -> StdinClaim:
    return claims_stdin(readings(KnownCommand(1, line, Source.EXEC, exact=True)))


@pytest.mark.parametrize("line", COMMANDS)
def test_what_a_shell_reads_are_commands(line: str) -> None:
    assert claim(line).reads is Reads.COMMANDS


@pytest.mark.parametrize(("line", "program"), CODE)
def test_what_an_interpreter_reads_is_code(line: str, program: str) -> None:
    assert (claim(line).reads, claim(line).program) == (Reads.CODE, program)


@pytest.mark.parametrize("line", DATA)
def test_all_else_is_data(line: str) -> None:
    assert claim(line).reads is Reads.DATA


def test_a_shell_counts_more_than_an_interpreter_beside_it() -> None:
    assert claim("python3 -; bash").reads is Reads.COMMANDS


def test_a_login_shell_reads_commands_and_a_device_reads_lines() -> None:
    assert claims_stdin(None) == StdinClaim(Reads.COMMANDS, "shell", BOURNE)
    assert claims_stdin(None, Device.CISCO).dialect is DEVICE


@pytest.mark.parametrize(
    ("line", "dialect"), [("fish", FISH), ("tcsh", CSH), ("bash", BOURNE), ("ksh93", BOURNE)]
)
def test_a_shell_is_cut_by_its_own_words(line: str, dialect: object) -> None:
    assert claim(line).dialect is dialect


@pytest.mark.parametrize(
    ("line", "secret"),
    [
        ("sudo -S bash -s", True),
        ("sudo -HSn -p 'pw:' sh", True),
        ("sudo --stdin python3", True),
        ("sudo -n bash", False),
        ("sudo -u S bash", False),
        ("sudo -uS bash", False),
        ("bash -S", False),
    ],
)
def test_sudo_may_be_given_a_password_first(line: str, secret: bool) -> None:
    assert claim(line).secret is secret
