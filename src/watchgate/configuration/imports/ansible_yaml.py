"""An Ansible inventory in its YAML form: groups with `hosts`, `children` and `vars`."""

from __future__ import annotations

import re

from watchgate.configuration import yamltree
from watchgate.configuration.imports.ansible import RUN_IT, Inventory
from watchgate.configuration.places import FilesRefused, Problems
from watchgate.configuration.yamltree import Mapping, Node, Scalar
from watchgate.errors import ConfigurationError

_FIRST_LINE = re.compile(r"^(?!\s*(?:[#;]|$)).*$", re.MULTILINE)
_IS_YAML = re.compile(r"---|%YAML|\{|[\"']?[\w .-]+[\"']?\s*:(?:\s|$)")


def looks_so(text: str) -> bool:
    """Whether the first line that says something is one of YAML."""
    first = _FIRST_LINE.search(text)
    return first is not None and _IS_YAML.match(first[0]) is not None


def read(octets: bytes, file: str, inventory: Inventory) -> None:
    """Take what the tree says into *inventory*."""
    problems = Problems()
    tree = yamltree.parse(octets, file, problems, foreign=True)
    if problems.count:
        raise FilesRefused(problems.found, problems.count)
    if tree is None:
        return
    if not isinstance(tree, Mapping):
        raise ConfigurationError(
            f"{tree.place}: an inventory is a mapping of groups", code="import.no-inventory"
        )
    for name in ("plugin", "_meta"):
        if any(key.text == name for key, _ in tree.entries):
            raise ConfigurationError(
                f"{file} is for a plugin of Ansible, or from one; {RUN_IT}", code="import.program"
            )
    for key, value in tree.entries:
        _group(key, value, inventory)


def _group(key: Scalar, node: Node, inventory: Inventory) -> None:
    # The tree's own bound on depth is the bound of this recursion.
    group = inventory.group(key.text, key.place)
    if isinstance(node, Scalar) and node.kind == yamltree.NULL:
        return
    if not isinstance(node, Mapping):
        inventory.gathered.remark(node.place, key.text, "left out: a group is a mapping")
        return
    for part, value in node.entries:
        if part.text == "hosts":
            for host, said in _entries(value, inventory, "hosts"):
                variables = _variables(said, inventory)
                inventory.add_hosts(host.text, key.text, host.place, variables)
        elif part.text == "vars":
            group.variables |= _variables(value, inventory)
        elif part.text == "children":
            for child, inner in _entries(value, inventory, "children"):
                group.children.setdefault(child.text, child.place)
                _group(child, inner, inventory)
        else:
            why = "left out: a group has hosts, children and vars"
            inventory.gathered.remark(part.place, part.text, why)


def _entries(node: Node, inventory: Inventory, what: str) -> tuple[tuple[Scalar, Node], ...]:
    if isinstance(node, Mapping):
        return node.entries
    if not (isinstance(node, Scalar) and node.kind == yamltree.NULL):
        inventory.gathered.remark(node.place, what, "left out: this is a mapping in Ansible")
    return ()


def _variables(node: Node, inventory: Inventory) -> dict[str, str]:
    found: dict[str, str] = {}
    if not isinstance(node, Mapping):
        return found
    for name, value in node.entries:
        if isinstance(value, Scalar) and value.kind == yamltree.TAGGED:
            inventory.gathered.remark(value.place, name.text, "is in a vault, which is not opened")
        elif isinstance(value, Scalar) and value.kind != yamltree.NULL:
            inventory.keep(found, name.text, value.text, value.place)
    return found
