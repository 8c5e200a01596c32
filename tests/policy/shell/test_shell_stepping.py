"""Wrappers, find and xargs, shells and what they are fed, what commands print, what changes the shell."""

from __future__ import annotations

import pytest

from watchgate.policy.reading import Reason, ShellContext, SimpleCommand
from watchgate.policy.shell import (
    finding,
    printing,
    read,
    redirections,
    running,
    shells,
    state,
    stepping,
)
from watchgate.policy.shell.calls import TERMINAL, Around, Input
from watchgate.policy.shell.reader import Reader
from watchgate.policy.shell.scope import Scope


def inner(line: str, program: str = "rm", context: ShellContext | None = None) -> SimpleCommand:
    found = [c for c in read(line, context or ShellContext()).commands if c.program == program]
    return found[-1]


@pytest.mark.parametrize(
    ("line", "wrappers", "user"),
    [
        ("sudo rm x", ("sudo",), "root"),
        ("sudo -u bob -E rm x", ("sudo",), "bob"),
        ("sudo A=1 -ubob rm x", ("sudo",), "bob"),
        ("doas -u bob rm x", ("doas",), "bob"),
        ("su bob -c 'rm x'", ("su",), "bob"),
        ("su -c 'rm x'", ("su",), "root"),
        ("su - bob -s /bin/sh -c 'rm x'", ("su",), "bob"),
        ("runuser -u bob -- rm x", ("runuser",), "bob"),
        ("setpriv --reuid=bob rm x", ("setpriv",), "bob"),
        ("sudo env A=1 nice -n 5 timeout -k 1 5 rm x", ("sudo", "env", "nice", "timeout"), "root"),
        ("nice -5 rm x", ("nice",), None),
        ("ionice -c 2 -n 0 rm x", ("ionice",), None),
        ("taskset -c 0,1 rm x", ("taskset",), None),
        ("chrt -f 5 rm x", ("chrt",), None),
        ("chroot --userspec=bob /mnt rm x", ("chroot",), "bob"),
        ("nsenter -t 1 -m -- rm x", ("nsenter",), None),
        ("unshare -rm rm x", ("unshare",), None),
        ("flock -n /l rm x", ("flock",), None),
        ("flock /l -c 'rm x'", ("flock",), None),
        ("strace -f -o /tmp/o rm x", ("strace",), None),
        ("script -qc 'rm x' /dev/null", ("script",), None),
        ("systemd-run --uid=bob --wait rm x", ("systemd-run",), "bob"),
        ("docker exec -u bob -e A=1 web rm x", ("docker",), "bob"),
        ("docker run --rm -v /a:/b image rm x", ("docker",), None),
        ("docker compose exec web rm x", ("docker",), None),
        ("docker run --entrypoint rm image x", ("docker",), None),
        ("kubectl -n a exec -it pod -c b -- rm x", ("kubectl",), None),
        ("podman exec web sh -c 'rm x'", ("podman", "sh"), None),
        ("ssh -i k bob@h -p 22 rm x", ("ssh",), "bob"),
        ("ssh -l bob h 'sudo rm x'", ("ssh", "sudo"), "root"),
        ("ip netns exec n rm x", ("ip",), None),
        ("busybox rm x", ("busybox",), None),
        ("watch -n 1 'ls; rm x'", ("watch",), None),
        ("watch -x rm x", ("watch",), None),
        ("parallel -j 2 rm ::: x", ("parallel",), None),
        ("env -i -u A B=1 rm x", ("env",), None),
        ("env -S 'rm x'", ("env",), None),
        ("command -p rm x", ("command",), None),
        ("exec -a y rm x", ("exec",), None),
        ("time -p rm x", ("time",), None),
        ("xargs -n 1 -P 4 rm x", ("xargs",), None),
        ("find . -execdir rm x \\;", ("find",), None),
        ("bash -x -o pipefail -c 'rm x'", ("bash",), None),
        ("sh -ec 'rm x'", ("sh",), None),
        ("eval rm x", ("eval",), None),
        ("trap 'rm x' EXIT", ("trap",), None),
        ("alias y='rm x'", ("alias",), None),
        ("tmux new-session -d 'rm x'", ("tmux",), None),
        ("screen -dm rm x", ("screen",), None),
        ("socat TCP-LISTEN:1 EXEC:'rm x'", ("socat",), None),
        ("sg wheel -c 'rm x'", ("sg",), None),
        ("fakeroot rm x", ("fakeroot",), None),
        ("torsocks rm x", ("torsocks",), None),
    ],
)
def test_a_wrapper_is_stepped_through(
    line: str, wrappers: tuple[str, ...], user: str | None
) -> None:
    command = inner(line)

    assert command.wrappers == wrappers
    assert command.user == user
    assert command.operands[0].text == "x"


def test_a_wrapper_is_a_command_of_its_own_and_says_what_it_carries() -> None:
    first, second = read("sudo -u bob rm -rf /").commands

    assert (first.program, first.text, first.paths) == ("sudo", "sudo -u bob rm -rf /", ())
    assert first.values == {"user": ("bob",)}
    assert (second.program, second.text, second.paths) == ("rm", "rm -r -f /", ("/",))


def test_wrappers_are_bounded() -> None:
    reading = read("sudo " * 40 + "rm x")

    assert Reason.DEEP in {one.reason for one in reading.opaque}


def test_another_machine_knows_nothing_of_this_one() -> None:
    context = ShellContext(cwd="/etc", home="/root", aliases={"ls": "ls -l"})

    assert inner("ssh h rm x", context=context).paths == ("?/x",)
    assert inner("docker exec w rm x", context=context).paths == ("?/x",)
    assert inner("sudo rm x", context=context).paths == ("/etc/x",)


@pytest.mark.parametrize(
    ("line", "paths"),
    [
        ("find /a /b -delete", ("/a", "/b")),
        ("find /a -type f -delete", ("/a/**",)),
        ("find /a -name '*.c' -exec rm {} +", ("/a/**/*.c",)),
        ("find /a ! -name x -exec rm {} \\;", ("/a/**",)),
        ("find /a -exec rm {}/x \\;", ("/a/x",)),
        ("find -H /a -maxdepth 1 -ok rm {} \\;", ("/a",)),
        ("echo /a /b | xargs rm", ("/a", "/b")),
        ("printf '/a b\\0' | xargs -0 rm", ("/a b",)),
        ("echo /a | xargs -I % rm %/x", ("/a/x",)),
        ("ls | xargs rm", ("/**",)),
        ("xargs rm < f", ("/**",)),
    ],
)
def test_what_find_and_xargs_give_a_command_is_told(line: str, paths: tuple[str, ...]) -> None:
    assert inner(line).paths == paths


@pytest.mark.parametrize(
    "line",
    [
        *(
            "echo rm x | sh",
            "printf 'rm %s' x | bash -s",
            "echo -e 'rm\\x20x' | bash",
            "cat <<< 'rm x' | sh",
        ),
        *("echo cm0geAo= | base64 --decode | sh", "echo cm0geAo= | openssl base64 -d | sh"),
        *(
            "echo 726d2078 | xxd -r -p | sh",
            "echo 'x mr' | rev | sh",
            "echo sn y | tr sny rmx | sh",
        ),
        *("echo rm Zx | tr -d Z | sh", "{ echo rm x; echo ls; } | sh", "(echo 'rm x') | sh"),
        *(
            "echo 'rm x' > f; sh f",
            "echo 'rm x' > f; . ./f",
            "echo 'rm x' > ./f; ./f",
            "echo 'rm x' | tee f; sh < f",
        ),
        *(
            "cat > f <<E\nrm x\nE\nbash f",
            "echo -n rm > f; echo ' x' >> f; sh f",
            "sh <<E\nrm x\nE",
        ),
        *(
            "f() { echo rm x; }; f | sh",
            "x=$(echo rm x); $x",
            'bash -c "$(echo rm x)"',
            "sh < <(echo rm x)",
        ),
        *(
            "echo 'rm x' | sudo sh",
            "echo 'rm x' | ssh h",
            "echo 'rm x' | at now",
            "echo 'rm x' | su bob",
        ),
        *("echo '@daily rm x' | crontab -", "echo '* * * * * rm x' | crontab -", "$(printf rm) x"),
        *("$(basename /bin/rm) x", "$(which rm) x", "echo rm x|cat|cat -|sh", "mapfile a; rm x"),
    ],
)
def test_a_text_that_is_there_is_read_where_a_shell_gets_it(line: str) -> None:
    programs = {command.program for command in read(line).commands}

    assert "rm" in programs


@pytest.mark.parametrize(
    ("line", "texts"),
    [
        ("ll /x", ["ls -l /x"]),
        ("ll /x | grep a", ["ls -l /x", "grep a"]),
        ("sudo ll", ["sudo ll", "ll"]),
        ("s ll", ["sudo ls -l", "ls -l"]),
        ("\\ll; 'll'", ["ll", "ll"]),
        ("two", ["a", "b"]),
        ("two c", ["a", "b c"]),
        ("again x", ["again x"]),
        ("one; x", ["again", "x"]),
        ("ll > f", ["ls -l"]),
    ],
)
def test_aliases_of_the_session_are_expanded(line: str, texts: list[str]) -> None:
    aliases = {"ll": "ls -l", "s": "sudo ", "two": "a; b", "again": "again", "one": "again"}
    reading = read(line, ShellContext(aliases=aliases))

    assert list(dict.fromkeys(reading.normalized)) == list(dict.fromkeys(texts))


def test_an_alias_that_the_line_makes_hides_nothing() -> None:
    assert "rm -r -f /" in read("alias rm=echo; rm -rf /").normalized
    assert "rm x" in read("alias y='rm x'\ny").normalized


def test_a_function_of_the_line_is_read_with_its_arguments() -> None:
    normalized = read("f() { local d=$1; shift; rm $d $@; }; f a b c").normalized

    assert "rm a b c" in normalized
    assert "f a b c" in normalized


@pytest.mark.parametrize(
    ("line", "redirects"),
    [
        ("echo x > /a 2>> b", [(">", "/a"), (">>", "?/b")]),
        ("cat < /a", [("<", "/a")]),
        ("ls 2>&1", [(">&", None)]),
        ("ls &> /a", [("&>", "/a")]),
        ("ls > $x", [(">", None)]),
        ("ls > /a/$x", [(">", "/a/**")]),
        ("cat <<E\nE", [("<<", None)]),
        ("cat <<< /a", [("<<<", None)]),
        ("> /a", [(">", "/a")]),
    ],
)
def test_redirections_say_where_to(line: str, redirects: list[tuple[str, str | None]]) -> None:
    command = read(line).commands[-1]

    assert [(one.operator, one.path) for one in command.redirects] == redirects


def test_what_a_group_writes_is_a_command_without_a_program() -> None:
    first, second = read("{ ls; } > /etc/x").commands

    assert (first.program, first.text) == ("", "> /etc/x")
    assert second.program == "ls"


def test_an_input_that_is_only_partly_known_is_not_certain() -> None:
    assert Input(given=True, text="x").certain == "x"
    assert Input(given=True, text="x", partly=True).certain is None
    assert not TERMINAL.given
    assert Around().within("sudo", "root").within("sh") == Around(("sudo", "sh"), "root")


def test_every_handler_reads_for_a_reader() -> None:
    reader = Reader(ShellContext(), running.simple, running.run)
    handlers = (stepping.step, finding.find, printing.echo, shells.shell, state.cd)

    assert all(callable(handler) for handler in handlers)
    assert redirections.redirected(reader, (), _scope(), Around()).redirects == ()


def _scope() -> Scope:
    return Scope("bash", None)
