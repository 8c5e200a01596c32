"""Targets from plain lists, and what an import proposes."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchgate.catalog import names
from watchgate.configuration.imports import hosts, proposals
from watchgate.configuration.imports.proposals import Gathered, Machine
from watchgate.configuration.places import Place
from watchgate.errors import ConfigurationError


def read(text: str) -> Gathered:
    gathered = Gathered()
    hosts.read(text.encode(), "list", gathered)
    return gathered


def machines(text: str) -> list[tuple[str, str, int]]:
    return [(one.name, one.host, one.port) for one in read(text).machines]


def remarks(text: str) -> str:
    return "\n".join(map(str, read(text).remarks))


@pytest.mark.parametrize(
    ("line", "machine"),
    [
        ("10.0.0.5 web1.corp web1", ("web1.corp", "10.0.0.5", 22)),
        ("2001:db8::9\tsix", ("six", "2001:db8::9", 22)),
        ("10.0.0.5", ("10.0.0.5", "10.0.0.5", 22)),
        ("[2001:db8::9]:2222", ("2001-db8-9", "2001:db8::9", 2222)),
        ("web1:2222 # here", ("web1", "web1", 2222)),
        ("root@web1", ("web1", "web1", 22)),
        ("web1 10.0.0.5:2200", ("web1", "10.0.0.5", 2200)),
        ("web1,10.0.0.5,2222,root", ("web1", "10.0.0.5", 2222)),
        ("10.0.0.5;web1", ("web1", "10.0.0.5", 22)),
        ('"web 1", 10.0.0.5', ("web-1", "10.0.0.5", 22)),
    ],
)
def test_a_line_is_read_off_itself(line: str, machine: tuple[str, str, int]) -> None:
    assert machines(line) == [machine]


def test_columns_are_named_by_a_first_line() -> None:
    found = read("Port,Hostname,IP,Owner,User\n2222,web1,10.0.0.5,me,root\n,web2,10.0.0.6\n")

    assert [(one.name, one.host, one.port, one.accounts) for one in found.machines] == [
        ("web1", "10.0.0.5", 2222, ("root",)),
        ("web2", "10.0.0.6", 22, ()),
    ]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("127.0.0.1 localhost", "list:1:1: localhost: left out: 127.0.0.1 is no other machine"),
        ("::1 ip6-localhost", "is no other machine"),
        ("ff02::1 ip6-allnodes", "is no other machine"),
        ("fe00::0 ip6-localnet", "is no other machine"),
        ("255.255.255.255 broadcasthost", "is no other machine"),
        ("0.0.0.0 ads.example.com", "is no other machine"),
        ("10.0.0.5 a b c", "a: has other names, which are left out: b c"),
        ("a b c d", "a b c d: left out: a line is"),
        ("web1:99999", "left out: 'web1:99999' is neither a host name nor an IP address"),
        (",,22", "left out: it says neither a name nor an address"),
        ("x" * 5000, "left out: the line is too long to be a machine"),
        ("web1,10.0.0.5,22x", "'22x' is not a port"),
    ],
)
def test_what_is_left_out_of_a_list_is_said(line: str, said: str) -> None:
    assert said in remarks(line)


@given(st.text(max_size=200))
def test_no_text_breaks_the_reader(text: str) -> None:
    gathered = Gathered()
    with suppress(ConfigurationError):  # a NUL, or what is not UTF-8
        hosts.read(text.encode("utf-8", "surrogatepass"), "list", gathered)

    assert all(names.checked("target", one.name) for one in gathered.machines)


@given(st.text(max_size=200).map(lambda text: f"a{text}"))
def test_any_name_with_a_letter_is_made_legal(name: str) -> None:
    made = proposals.legal_name(name)

    assert names.checked("target", made) == made
    assert len(made) <= names.LONGEST


# --- what an import proposes ---------------------------------------------------------------------


def machine(name: str, host: str, port: int = 22, *accounts: str) -> Machine:
    return Machine(name, host, port, Place("list", 1, 1), {}, accounts)


def test_machines_are_chosen_named_and_labelled() -> None:
    found = proposals.chosen(
        [machine("web1", "10.0.0.1"), machine("db1", "10.1.0.1"), machine("x", "10.1.0.2")],
        only=["WEB*", "10.1.0.2"],
        prefix="dc1-",
        labels={"env": "prod"},
    )

    assert [(one.name, dict(one.labels)) for one in found] == [
        ("dc1-web1", {"env": "prod"}),
        ("dc1-x", {"env": "prod"}),
    ]


def test_what_is_there_is_compared_and_never_touched() -> None:
    gathered = Gathered()
    found = [
        machine("new", "10.0.0.1"),
        machine("WEB1", "10.0.0.2"),
        machine("web2", "10.0.0.9"),
        machine("again", "10.0.0.2"),
        machine("new", "10.0.0.8"),
    ]
    there = {"web1": ("10.0.0.2", 22), "web2": ("10.0.0.3", 22)}
    proposal = proposals.compare(gathered, found, there)

    assert [one.name for one in proposal.added] == ["new"]
    assert [one.name for one in proposal.present] == ["WEB1"]
    assert [(one.machine.name, one.there) for one in proposal.differing] == [
        ("web2", "10.0.0.3:22")
    ]
    assert [str(one) for one in proposal.remarks] == [
        "list:1:1: again: is web1 already",
        "list:1:1: new: left out: another of that name is at list:1:1",
    ]


def test_two_names_of_one_machine_are_one_target_with_both_accounts() -> None:
    found = [machine("a", "10.0.0.1", 22, "root"), machine("b", "10.0.0.1", 22, "app", "root")]
    proposal = proposals.compare(Gathered(), found, {})

    assert [(one.name, one.accounts) for one in proposal.added] == [("a", ("root", "app"))]
