"""How the command lines of network devices are asked for their privileged mode."""

from __future__ import annotations

import re

_LONGEST = 80
_ENABLE = re.compile(r"en(?:a(?:b(?:l(?:e)?)?)?)?(?: +\d{1,2})?")
_SUPER = re.compile(r"su(?:p(?:e(?:r)?)?)?(?: +\d{1,2})?")
_ROOT = re.compile(r"start +shell +user +root|su(?: +-)?(?: +root)?")
_LINES = {
    "cisco": ((_ENABLE, "enable"),),
    "huawei": ((_SUPER, "super"),),
    "juniper": ((_ROOT, "su"),),
    "other": ((_ENABLE, "enable"), (_SUPER, "super")),
}


def enabling(line: str, device: str) -> str | None:
    """The command by which *line* asks a device of that kind for its privileged mode, by its full name."""
    text = line.strip().lower()
    if len(text) > _LONGEST:
        return None
    for pattern, name in _LINES.get(device, ()):
        if pattern.fullmatch(text):
            return name
    return None
