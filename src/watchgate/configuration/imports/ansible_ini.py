"""An Ansible inventory in its INI form: `[group]`, `[group:children]`, `[group:vars]`, hosts."""

from __future__ import annotations

import re
import shlex

from watchgate.configuration.imports.ansible import ALL, UNGROUPED, Inventory
from watchgate.configuration.places import Place

_SECTION = re.compile(r"\[([^\]:]+)(?::(\w+))?\]\s*(?:[#;].*)?")


def read(text: str, file: str, inventory: Inventory) -> None:
    """Take what the lines say into *inventory*."""
    group, part = UNGROUPED, "hosts"
    for number, line in enumerate(text.splitlines(), 1):
        words = line.strip()
        if not words or words[0] in "#;":
            continue
        place = Place(file, number, 1)
        section = _SECTION.fullmatch(words)
        if section is not None and section[2] in (None, "hosts", "children", "vars"):
            group, part = section[1].strip(), section[2] or "hosts"
            inventory.group(group, place)
        elif part == "hosts":
            _host(words, group, place, inventory)
        elif part == "children":
            child = words.split()[0]
            inventory.group(child, place)
            inventory.group(group, place).children.setdefault(child, place)
        else:
            name, _, value = words.partition("=")
            variables = inventory.group(group or ALL, place).variables
            inventory.keep(variables, name.strip(), value.strip().strip("'\""), place)


def _host(line: str, group: str, place: Place, inventory: Inventory) -> None:
    try:
        pattern, *assigned = shlex.split(line, comments=True)
    except ValueError:
        inventory.gathered.remark(place, line, "left out: a quote is not closed")
        return
    variables: dict[str, str] = {}
    for word in assigned:
        name, equals, value = word.partition("=")
        if not equals:
            inventory.gathered.remark(place, word, "left out: a variable is written name=value")
        inventory.keep(variables, name, value, place)
    inventory.add_hosts(pattern, group, place, variables)
