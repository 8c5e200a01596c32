"""Paths resolved by their letters, and compared with the patterns of rules."""

from __future__ import annotations

import fnmatch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchgate.policy.reading import ShellContext
from watchgate.policy.shell import read
from watchgate.policy.shell.globs import automaton, meet
from watchgate.policy.shell.paths import alternatives, path_may_match, resolved


@pytest.mark.parametrize(
    ("where", "cwd", "path"),
    [
        ("/etc/../etc//passwd", None, "/etc/passwd"),
        ("/", None, "/"),
        ("//", None, "/"),
        ("/..", None, "/"),
        (".", "/srv", "/srv"),
        ("..", "/srv/a", "/srv"),
        ("./a/./b/", "/srv", "/srv/a/b"),
        ("../../../x", "/srv", "/x"),
        ("a", None, "?/a"),
        (".", None, "?/"),
        ("../a", None, "/**/a"),
        ("a/../../b", None, "/**/b"),
        ("**", "/srv", "/**"),
        ("/tmp/**", None, "/tmp/**"),
        ("~/a", None, "?/a"),
        ("~root/a", None, "/root/a"),
        ("/etc/*", None, "/etc/*"),
        ("a*", "/srv", "/srv/a*"),
    ],
)
def test_a_path_is_resolved_without_a_file_system(where: str, cwd: str | None, path: str) -> None:
    assert resolved(where, cwd, None) == path


@pytest.mark.parametrize(
    ("path", "pattern"),
    [
        ("/etc/passwd", "/etc/passwd"),
        ("/etc/passwd", "/etc/*"),
        ("/etc/passwd", "/etc/**"),
        ("/etc", "/etc/**"),
        ("/etc/ssh/x", "/etc/**"),
        ("/", "/**"),
        ("/a", "/**"),
        ("/", "/"),
        ("/*", "/"),
        ("/e??", "/etc/**"),
        ("/???/passwd", "/etc/*"),
        ("/etc/pass*", "/etc/passwd"),
        ("/etc/[pq]asswd", "/etc/passwd"),
        ("/etc/[!x]asswd", "/etc/passwd"),
        ("/**", "/etc/shadow"),
        ("/**/x", "/etc/**"),
        ("/tmp/**", "/tmp/a/b"),
        ("/usr/bin/x", "/usr/{bin,sbin}/**"),
        ("?/.ssh/authorized_keys", "/**/.ssh/authorized_keys"),
        ("?/.ssh/authorized_keys", "~/.ssh/authorized_keys"),
        ("/root/.ssh/authorized_keys", "~/.ssh/authorized_keys"),
        ("/x/id_rsa", "id_rsa"),
        ("?/id_rsa", "id_rsa"),
        ("/x/a.key", "*.key"),
        ("/etc/\\*", "/etc/*"),
        ("/etc/", "/etc/"),
    ],
)
def test_a_path_may_be_meant(path: str, pattern: str) -> None:
    assert path_may_match(path, pattern)


@pytest.mark.parametrize(
    ("path", "pattern"),
    [
        ("/etc/passwd", "/etc/shadow"),
        ("/etc/ssh/x", "/etc/*"),
        ("/etcetera", "/etc/**"),
        ("/tmp", "/"),
        ("/e?", "/etc/**"),
        ("/[!e]tc", "/etc/**"),
        ("?/passwd", "/etc/passwd"),
        ("?/passwd", "/*/passwd"),
        ("?/*", "/*"),
        ("/tmp/**", "/etc/**"),
        ("/usr/lib/x", "/usr/{bin,sbin}/**"),
        ("/etc/\\*", "/etc/passwd"),
        ("/x/id_rsa.pub", "id_rsa"),
    ],
)
def test_a_path_is_not_meant(path: str, pattern: str) -> None:
    assert not path_may_match(path, pattern)


GLOB = st.text(alphabet="ab*?", max_size=6)


@given(glob=GLOB, text=st.text(alphabet="ab", max_size=6))
@settings(max_examples=300, deadline=None)
def test_a_glob_meets_the_texts_that_it_matches(glob: str, text: str) -> None:
    plain = glob.replace("**", "*")

    assert meet(automaton(text), automaton(glob)) == fnmatch.fnmatchcase(text, plain)


@given(one=GLOB, other=GLOB)
@settings(max_examples=200, deadline=None)
def test_whether_globs_meet_does_not_depend_on_the_order(one: str, other: str) -> None:
    assert meet(automaton(one), automaton(other)) == meet(automaton(other), automaton(one))


def test_globs_that_take_too_long_may_meet() -> None:
    assert meet(automaton("*a" * 400 + "x"), automaton("*b" * 400 + "y"))


def test_alternatives_are_bounded() -> None:
    assert alternatives("/{a,b}/{c,d}") == ("/a/c", "/a/d", "/b/c", "/b/d")
    assert len(alternatives("/" + "{a,b}" * 30)) <= 512


@pytest.mark.parametrize(
    ("line", "paths"),
    [
        ("cd /; rm etc", ["/etc"]),
        ("cd /var && cd log && rm x", ["/var/log/x"]),
        ("(cd /etc); rm x", ["/home/x"]),
        ("cd /etc || rm x", ["/etc/x", "/home/x"]),
        ("if a; then cd /etc; fi; rm x", ["/home/x", "/etc/x"]),
        ("cd -; rm x", ["?/x"]),
        ("cd $x; rm y", ["?/y"]),
        ("cd; rm x", ["/home/x"]),
        ("pushd /etc; popd; rm x", ["?/x"]),
        ("cd ..; rm x", ["/x"]),
        ("find /etc -exec rm {} +", ["/etc"]),
        ("find /etc -name '*.d' -delete", ["/etc/**/*.d"]),
    ],
)
def test_a_line_s_own_directory_is_followed(line: str, paths: list[str]) -> None:
    reading = read(line, ShellContext(cwd="/home", home="/home"))
    (command,) = [one for one in reading.commands if one.program == "rm"]

    assert list(command.paths) == paths
