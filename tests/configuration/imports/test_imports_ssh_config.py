"""Targets from ~/.ssh/config."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from watchgate.configuration.imports import proposals, ssh_config
from watchgate.configuration.imports.proposals import Gathered
from watchgate.errors import ConfigurationError


def read(text: str | bytes, directory: Path | None = None) -> Gathered:
    gathered = Gathered()
    octets = text.encode() if isinstance(text, str) else text
    ssh_config.read(octets, "config", directory, gathered)
    return gathered


def machines(text: str, directory: Path | None = None) -> list[tuple[str, str, int, str]]:
    """Name, host, port and account of each machine."""
    found = read(text, directory).machines
    return [(one.name, one.host, one.port, ",".join(one.accounts)) for one in found]


def remarks(text: str, directory: Path | None = None) -> str:
    return "\n".join(map(str, read(text, directory).remarks))


def test_each_name_is_a_machine_with_what_ssh_would_use() -> None:
    text = """
        # a comment
        port 2200
        Host web1 web2
            HostName %h.corp
            USER=deploy
        Host "quoted" # not a name
            hostname = 10.0.0.9
            Port "2222"
        Host *
            User admin
    """

    assert machines(text) == [
        ("web1", "web1.corp", 2200, "deploy"),
        ("web2", "web2.corp", 2200, "deploy"),
        ("quoted", "10.0.0.9", 2200, "admin"),
    ]


def test_the_first_value_counts_and_a_negated_pattern_excludes() -> None:
    text = "Host a\n HostName one\nHost * !a\n User x\nHost a b\n HostName two\n User y\n"

    assert machines(text) == [("a", "one", 22, "y"), ("b", "two", 22, "x")]


def test_patterns_match_as_in_ssh() -> None:
    text = "Host web?\n User one\nHost web[1]\n User two\nHost web1 web12 web[1]\n HostName h%%\n"

    assert "web?: left out: a pattern is no machine" in remarks(text)
    assert "'h%' is neither a host name nor an IP address" in remarks(text)


def test_what_only_a_login_knows_is_said() -> None:
    text = (
        "Match user x\n HostName hidden\nHost a\n HostName %n.corp\nHost b\n ProxyJump bastion\n"
        "Host c\n ProxyCommand nc %h %p\nMatch all\n Port 99\nHost d\n ProxyJump none\n"
    )
    said = remarks(text)

    assert "config:1:1: Match user x: Match is not read, nor what is below" in said
    assert "config:3:1: a: left out: HostName %n.corp is only known at a login" in said
    assert "b: is reached through bastion" in said
    assert "c: is reached through nc %h %p" in said
    assert "d:" not in said
    assert {port for _, _, port, _ in machines(text)} == {99}


def test_lines_that_are_none_are_said() -> None:
    said = remarks('Host a\n HostName "open\n ???\nHost bad port\n Port x\n')

    assert 'config:2:1: HostName "open: left out: this is not a line of ssh_config' in said
    assert "config:3:1: ???: left out" in said
    assert "bad: left out: 'x' is not a port" in said


def test_names_that_are_not_allowed_become_such_that_are() -> None:
    gathered = read('Host "db 01!" ---\n HostName db\n User "a b"\n')

    assert [one.name for one in gathered.machines] == ["db-01"]
    assert [str(one) for one in gathered.remarks] == [
        "config:1:1: db 01!: is named db-01 here, where names hold letters, digits, . _ -",
        "config:1:1: db 01!: its account is left out: 'a b' cannot name the account: a name holds "
        "letters, digits, '.', '_', '-', '$' and '\\', and begins with a letter or a digit",
        "config:1:1: ---: left out: '---' holds nothing that could be a name",
    ]


def test_includes_are_followed_inside_the_directory(tmp_path: Path) -> None:
    (tmp_path / "config.d").mkdir()
    (tmp_path / "config.d/one").write_text("Host one\n HostName 10.0.0.1\n")
    (tmp_path / "config.d/two").write_text("Host two\n HostName 10.0.0.2\n")
    outside = tmp_path.parent / "outside"
    outside.write_text("Host secret\n HostName 10.9.9.9\n")
    (tmp_path / "config.d/link").symlink_to(outside)
    text = f"Include config.d/*\nInclude {outside} ../outside /etc/passwd **/x\nHost a\n Port 7\n"

    assert [name for name, *_ in machines(text, tmp_path)] == ["one", "two", "a"]
    said = remarks(text, tmp_path)
    assert said.count("lies outside of") == 4
    assert "leads out of" in said


def test_what_is_included_under_a_host_is_of_that_host(tmp_path: Path) -> None:
    (tmp_path / "more").write_text("HostName 10.0.0.1\nHost other\n Port 1\n")

    assert machines("Host a\n Include more\n Port 5\n", tmp_path) == [
        ("a", "10.0.0.1", 5, ""),
        ("other", "other", 1, ""),
    ]


def test_includes_that_include_themselves_end(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("Include b\nInclude b\nHost one\n")
    (tmp_path / "b").write_text("Include a\nInclude config\nHost two\n")
    (tmp_path / "config").write_text("Include a\n")
    said = remarks("Include a\n", tmp_path)

    assert "left out: it includes itself" in said
    assert [name for name, *_ in machines("Include a\n", tmp_path)] == ["two", "one"]


def test_includes_that_multiply_are_refused(tmp_path: Path) -> None:
    for number in range(20):
        (tmp_path / f"f{number}").write_text(f"Include f{number + 1}\n" * 3)

    with pytest.raises(ConfigurationError, match="more than 100 files are included"):
        read("Include f0\n", tmp_path)


def test_includes_that_are_too_deep_are_said(tmp_path: Path) -> None:
    for number in range(20):
        (tmp_path / f"f{number}").write_text(f"Include f{number + 1}\n")

    assert "Include f16: more than 16 deep" in remarks("Include f0\n", tmp_path)


def test_an_include_from_standard_input_is_said() -> None:
    assert "not followed from standard input" in remarks("Include x\n")


@pytest.mark.parametrize(
    ("octets", "said"),
    [
        (b"Host a\n\0", "config:2: there is a NUL, so this is no text file"),
        (b"Host \xff\n", "config:1: this is not UTF-8"),
        (b"#" * (proposals.LARGEST + 1), "holds more than 8 MiB"),
    ],
)
def test_what_is_no_text_is_refused(octets: bytes, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        read(octets)


def test_too_many_machines_and_patterns_are_refused_in_time() -> None:
    started = time.monotonic()
    with pytest.raises(ConfigurationError, match="more than 5000 machines"):
        read("".join(f"Host h{n}\n" for n in range(5_100)))
    patterns = "".join(f"Host *{n}*a*b*c\n User u\n" for n in range(3000))
    with pytest.raises(ConfigurationError, match="too many hosts and patterns"):
        read(patterns + "".join(f"Host {'a' * 60}{n}\n" for n in range(3000)))

    assert time.monotonic() - started < 20
