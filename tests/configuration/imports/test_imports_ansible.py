"""Targets from Ansible inventories."""

from __future__ import annotations

import time

import pytest

from watchgate.configuration.imports import ansible, ansible_yaml, ranges
from watchgate.configuration.imports.proposals import Gathered
from watchgate.configuration.places import FilesRefused
from watchgate.errors import ConfigurationError

INI = """\
# a comment
mail.example.com:2022
[web]
web[01:03].corp ansible_user=deploy   # another
"quoted host" ansible_port=1
[db:vars]
ansible_port=2200
; and one more
[db]
db1 ansible_host=10.0.0.7 ansible_user='ops'
[2001:db8::1]:2222
[prod:children]
web
db
[prod:vars]
ansible_user = root
[all:vars]
ansible_port = 22
"""

YAML = """\
all:
  hosts:
    mail.example.com:
  vars: {ansible_port: 22}
  children:
    prod:
      vars: {ansible_user: root}
      children:
        web:
          hosts:
            web[01:03].corp: {ansible_user: deploy}
        db:
          vars: {ansible_port: 2200}
          hosts:
            db1: {ansible_host: 10.0.0.7, ansible_user: !vault "x"}
"""


def read(text: str) -> Gathered:
    gathered = Gathered()
    ansible.read(text.encode(), "inventory", gathered)
    return gathered


def machines(text: str) -> dict[str, tuple[str, int, str]]:
    return {one.name: (one.host, one.port, ",".join(one.accounts)) for one in read(text).machines}


def remarks(text: str) -> str:
    return "\n".join(map(str, read(text).remarks))


def test_an_ini_inventory_gives_hosts_with_what_their_groups_say() -> None:
    found = machines(INI)

    assert found["mail.example.com"] == ("mail.example.com", 2022, "")
    assert found["web02.corp"] == ("web02.corp", 22, "deploy")
    assert found["db1"] == ("10.0.0.7", 2200, "ops")
    assert "quoted-host" not in found


def test_an_ipv6_address_is_no_range() -> None:
    assert machines("[v6]\n2001:db8::1\n") == {"2001-db8-1": ("2001:db8::1", 22, "")}


def test_groups_are_labels() -> None:
    labels = {one.name: one.labels for one in read(INI).machines}

    assert labels["web01.corp"] == {"group": "web", "group.web": "yes", "group.prod": "yes"}
    assert labels["mail.example.com"] == {}


def test_a_group_whose_name_no_label_may_have_is_a_label_all_the_same() -> None:
    labels = read("[web servers (öst)]\nh\n").machines[0].labels

    assert labels == {"group": "web-servers-st-", "group.web-servers-st-": "yes"}


def test_a_yaml_inventory_says_the_same() -> None:
    found = machines(YAML)

    assert found == {
        "mail.example.com": ("mail.example.com", 22, ""),
        "web01.corp": ("web01.corp", 22, "deploy"),
        "web02.corp": ("web02.corp", 22, "deploy"),
        "web03.corp": ("web03.corp", 22, "deploy"),
        "db1": ("10.0.0.7", 2200, "root"),
    }
    assert "inventory:15:57: ansible_user: is in a vault, which is not opened" in remarks(YAML)


def test_a_nearer_group_beats_a_farther_one() -> None:
    text = (
        "[far:children]\nnear\n[far:vars]\nansible_user=a\n[near]\nh\n[near:vars]\nansible_user=b\n"
    )

    assert machines(text)["h"] == ("h", 22, "b")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("w ansible_connection=winrm\n", "w: left out: it is reached by winrm, not by ssh"),
        ("w ansible_host={{ip}}\n", "ansible_host: is computed by a template, which is not run"),
        ("w ansible_user='x\n", "left out: a quote is not closed"),
        ("w naked\n", "naked: left out: a variable is written name=value"),
        ("w ansible_port=x\n", "w: left out: 'x' is not a port"),
        (
            "w ansible_ssh_common_args='-o ProxyJump=b'\n",
            "w: is reached through a proxy; the gateway must reach it by itself",
        ),
        ("b[1:1000000000]\n", "b[1:1000000000]: left out: b[1:1000000000] stands for more than"),
        ("b[9:1]\n", "is not a range"),
        ("all: {hosts: [a]}\n", "hosts: left out: this is a mapping in Ansible"),
        ("all: {host: {a: }}\n", "host: left out: a group has hosts, children and vars"),
        ("all: x\n", "all: left out: a group is a mapping"),
    ],
)
def test_what_is_left_out_is_said(text: str, said: str) -> None:
    assert said in remarks(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("#!/usr/bin/env python3\nprint()\n", "is a program, which is not run"),
        ("plugin: aws_ec2\nregions: [x]\n", "is for a plugin of Ansible"),
        ('{"_meta": {"hostvars": {}}}', "ansible-inventory --list --yaml"),
        ("---\n- a\n", "an inventory is a mapping of groups"),
        ("all:\n  hosts:\n    a:\n\0", "there is a NUL"),
    ],
)
def test_what_is_no_inventory_is_refused_and_never_run(text: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        read(text)


def test_broken_yaml_is_said_with_its_place() -> None:
    with pytest.raises(FilesRefused, match="inventory:2:1"):
        read("all: {hosts: {a: \n")


def test_groups_that_are_in_themselves_end() -> None:
    text = "[a:children]\nb\n[b:children]\na\n[b]\nh ansible_host=x\n[a:vars]\nansible_user=u\n"

    assert machines(text) == {"h": ("x", 22, "u")}


def test_so_many_groups_and_hosts_are_refused_in_time() -> None:
    started = time.monotonic()
    chain = "".join(f"[g{n}:children]\ng{n + 1}\n" for n in range(4000))
    gathered = read(chain + "[g4000]\n" + "".join(f"h{n}\n" for n in range(4000)))
    with pytest.raises(ConfigurationError, match="more than 5000 groups"):
        read("".join(f"[g{n}]\n" for n in range(6000)))
    said = remarks("".join(f"h{n}\n" for n in range(4_990)) + "more[1:20]\n")

    assert gathered.machines == []
    assert "it is in more than 200 groups" in str(gathered.remarks[0])
    assert gathered.unsaid == 3000
    assert "more[1:20]: left out" in said
    assert time.monotonic() - started < 20


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("a", ["a"]),
        ("w[1:3]", ["w1", "w2", "w3"]),
        ("w[08:10]x", ["w08x", "w09x", "w10x"]),
        ("w[1:10:4]", ["w1", "w5", "w9"]),
        ("r[a:c]", ["ra", "rb", "rc"]),
        ("r[a:b][1:2]", ["ra1", "ra2", "rb1", "rb2"]),
        ("x[1]", ["x[1]"]),
    ],
)
def test_ranges_are_those_of_ansible(pattern: str, names: list[str]) -> None:
    assert ranges.expand(pattern, 100) == names


@pytest.mark.parametrize(
    "pattern",
    ["w[1:101]", "w[a:c]" * 9, "w[1:a]", "w[3:1]", "w[1:9:0]", "w[01:100]", "w[1:9999999999999]"],
)
def test_ranges_that_are_none_or_too_many_are_refused(pattern: str) -> None:
    with pytest.raises(ConfigurationError):
        ranges.expand(pattern, 100)


def test_the_two_forms_are_told_apart() -> None:
    assert ansible_yaml.looks_so(YAML)
    assert not ansible_yaml.looks_so(INI)
    assert not ansible_yaml.looks_so("host:2222\n")
    assert not ansible_yaml.looks_so("")
