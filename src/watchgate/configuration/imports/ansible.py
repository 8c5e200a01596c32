"""Targets from Ansible inventories, INI or YAML.

Hosts, groups, their children and variables are read as Ansible reads them; scripts and plugins are
never run, and what only a run would know (`{{ … }}`, a vault) is said. A host is labelled with the
first group that lists it (`group=web`), and with each group that it is in (`group.web=yes`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from watchgate.catalog import hosts
from watchgate.configuration.imports import ranges
from watchgate.configuration.imports.proposals import MOST_TARGETS, Gathered, text_of
from watchgate.configuration.places import Place
from watchgate.errors import ConfigurationError

ALL, UNGROUPED = "all", "ungrouped"
RUN_IT = "write it as a file and import that: ansible-inventory --list --yaml > FILE"
MOST_GROUPS = 5_000
MOST_GROUPS_OF_A_HOST = 200
_MOST_GROUP_LABELS = 50

_VARIABLES = {
    "host": ("ansible_host", "ansible_ssh_host"),
    "port": ("ansible_port", "ansible_ssh_port"),
    "user": ("ansible_user", "ansible_ssh_user"),
    "connection": ("ansible_connection",),
    "arguments": ("ansible_ssh_common_args",),
}
WANTED = frozenset(name for names in _VARIABLES.values() for name in names)
"""The variables that say where a machine is and as whom."""

_NO_LABEL = re.compile(r"[^A-Za-z0-9._/-]+")
_BY_SSH = ("ssh", "smart", "paramiko", "paramiko_ssh")


@dataclass(slots=True)
class Group:
    """A group of an inventory."""

    hosts: dict[str, Place] = field(default_factory=dict)
    children: dict[str, Place] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)


class Inventory:
    """Groups and hosts as a file has them, before anything is concluded."""

    def __init__(self, gathered: Gathered) -> None:
        self.gathered = gathered
        self.groups: dict[str, Group] = {ALL: Group()}
        self.hosts: dict[str, dict[str, str]] = {}
        """The variables of each host."""

    def group(self, name: str, place: Place) -> Group:
        """The group of that name, made when it is new."""
        if name not in self.groups and len(self.groups) >= MOST_GROUPS:
            raise ConfigurationError(
                f"{place}: there are more than {MOST_GROUPS} groups; import a part of them",
                code="import.too-many",
            )
        return self.groups.setdefault(name, Group())

    def add_hosts(
        self, pattern: str, group: str, place: Place, variables: Mapping[str, str]
    ) -> None:
        """The hosts that *pattern* stands for, in *group*."""
        name, port = hosts.split(pattern)
        try:
            found = ranges.expand(name, MOST_TARGETS - len(self.hosts))
        except ConfigurationError as error:
            self.gathered.remark(place, pattern, f"left out: {error}")
            return
        said = dict(variables)
        if port is not None:
            said.setdefault("ansible_port", str(port))
        listed = self.group(group, place).hosts
        for host in found:
            self.hosts.setdefault(host, {}).update(said)
            listed.setdefault(host, place)

    def keep(self, into: dict[str, str], name: str, value: str, place: Place) -> None:
        """Remember a variable if it is one of those that count here and its value stands in the file."""
        if name not in WANTED:
            return
        if "{{" in value or "{%" in value:
            self.gathered.remark(place, name, "is computed by a template, which is not run")
        else:
            into[name] = value


def read(octets: bytes, file: str, gathered: Gathered) -> None:
    """Add the machines of an inventory, whichever of its two forms it has."""
    # The two forms are read by modules that know this one.
    from watchgate.configuration.imports import ansible_ini, ansible_yaml

    text = text_of(octets, file)
    if text.startswith("#!"):
        raise ConfigurationError(
            f"{file} is a program, which is not run; {RUN_IT}", code="import.program"
        )
    inventory = Inventory(gathered)
    if ansible_yaml.looks_so(text):
        ansible_yaml.read(octets, file, inventory)
    else:
        ansible_ini.read(text, file, inventory)
    conclude(inventory)


def conclude(inventory: Inventory) -> None:
    """Add a machine for each host, with what its groups give it."""
    parents = _parents(inventory.groups)
    direct: dict[str, list[str]] = {}
    places: dict[str, Place] = {}
    for name, group in inventory.groups.items():
        for host, place in group.hosts.items():
            direct.setdefault(host, []).append(name)
            places.setdefault(host, place)
    ancestry: dict[str, dict[str, int]] = {}
    for host, own in inventory.hosts.items():
        listed = direct[host]
        groups: dict[str, int] = {ALL: 0}
        for name in listed:
            if name not in ancestry:
                ancestry[name] = _ancestors(name, parents)
            groups |= {
                one: min(near, groups.get(one, near)) for one, near in ancestry[name].items()
            }
        if len(groups) > MOST_GROUPS_OF_A_HOST:
            why = f"left out: it is in more than {MOST_GROUPS_OF_A_HOST} groups"
            inventory.gathered.remark(places[host], host, why)
            continue
        variables = _inherited(groups, inventory.groups) | own
        _add(inventory.gathered, host, variables, listed, groups, places[host])


def _parents(groups: Mapping[str, Group]) -> dict[str, list[str]]:
    parents: dict[str, list[str]] = {}
    for name, group in groups.items():
        for child in group.children:
            parents.setdefault(child, []).append(name)
    return parents


def _ancestors(name: str, parents: Mapping[str, list[str]]) -> dict[str, int]:
    """The group and all that it is in, each with minus its distance: what is near comes last."""
    found = {name: 0}
    waiting = [name]
    for one in waiting:
        for parent in parents.get(one, ()):
            if parent not in found:
                found[parent] = found[one] - 1
                waiting.append(parent)
        if len(found) > MOST_GROUPS_OF_A_HOST:
            break
    return found


def _inherited(groups: Mapping[str, int], known: Mapping[str, Group]) -> dict[str, str]:
    """Variables of groups: a nearer group beats a farther one, all is the farthest."""
    ordered = sorted(groups, key=lambda name: (name != ALL, groups[name], name))
    variables: dict[str, str] = {}
    for name in ordered:
        if name in known:
            variables |= known[name].variables
    return variables


def _add(
    gathered: Gathered,
    host: str,
    variables: Mapping[str, str],
    listed: list[str],
    groups: Iterable[str],
    place: Place,
) -> None:
    said = {
        word: next((variables[name] for name in names if name in variables), None)
        for word, names in _VARIABLES.items()
    }
    connection = said["connection"]
    if connection is not None and connection not in _BY_SSH:
        gathered.remark(place, host, f"left out: it is reached by {connection}, not by ssh")
        return
    if said["arguments"] is not None and "proxy" in said["arguments"].lower():
        gathered.remark(
            place, host, "is reached through a proxy; the gateway must reach it by itself"
        )
    labels = _labels(listed, groups)
    gathered.add(host, said["host"] or host, said["port"], place, labels, said["user"])


def _labels(listed: list[str], groups: Iterable[str]) -> dict[str, str]:
    named = [_word(name) for name in listed if name not in (ALL, UNGROUPED)]
    labels = {"group": named[0]} if named else {}
    others = sorted(_word(name) for name in groups if name not in (ALL, UNGROUPED))
    return labels | {f"group.{name}": "yes" for name in others[:_MOST_GROUP_LABELS]}


def _word(group: str) -> str:
    """A group's name as a label may have it."""
    return _NO_LABEL.sub("-", group)[:50]
