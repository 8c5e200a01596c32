"""What may be set per target: `TargetSettings` as the JSON of a column, checked word by word."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, fields
from enum import StrEnum
from typing import Any

from watchgate.errors import ConfigurationError
from watchgate.session.model import (
    Device,
    FailurePolicy,
    HostKeyPolicy,
    IndexPolicy,
    IntegrationPolicy,
    Tampering,
    TargetSettings,
    Unreadable,
)

_CHOICES: dict[str, type[StrEnum]] = {
    "on_recording_failure": FailurePolicy,
    "host_keys": HostKeyPolicy,
    "index": IndexPolicy,
    "integration": IntegrationPolicy,
    "device": Device,
    "on_unreadable": Unreadable,
    "on_tampering": Tampering,
}
_FLAGS = {"legacy_algorithms", "record_input"}
_SECONDS = {"connect_timeout": (0.1, 600.0), "idle_timeout": (0.0, 30 * 86_400.0)}
_VARIABLE = re.compile(r"[A-Za-z0-9_*]{1,128}")
_MOST_VARIABLES = 100

NAMES = tuple(field.name for field in fields(TargetSettings))
"""Every setting, in the order of their declaration."""


def read(values: Mapping[str, Any]) -> TargetSettings:
    """The settings that *values* say, each as JSON or as the text of a command line.

    What is not said has its default. Raises ConfigurationError for an unknown name or a wrong value.
    """
    return TargetSettings(**{name: _value(name, value) for name, value in values.items()})


def write(settings: TargetSettings) -> dict[str, Any]:
    """What differs from the defaults, as JSON; so a default that changes later holds for all."""
    plain, default = asdict(settings), asdict(TargetSettings())
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in plain.items()
        if value != default[name]
    }


def _value(name: str, value: Any) -> Any:
    if name in _CHOICES:
        return _choice(name, value)
    if name in _FLAGS:
        return _flag(name, value)
    if name in _SECONDS:
        return _seconds(name, value)
    if name == "environment":
        return _environment(value)
    near = difflib.get_close_matches(name, NAMES, n=1)
    advice = f"did you mean {near[0]}?" if near else f"there are {', '.join(NAMES)}"
    raise ConfigurationError(
        f"a target has no setting {name!r}; {advice}", code="target.unknown-setting"
    )


def _wrong(name: str, value: Any, expected: str) -> ConfigurationError:
    return ConfigurationError(
        f"the target setting {name} cannot be {value!r}; it is {expected}",
        code="target.illegal-setting",
    )


def _choice(name: str, value: Any) -> StrEnum:
    kind = _CHOICES[name]
    try:
        return kind(value)
    except ValueError:
        raise _wrong(name, value, " or ".join(kind)) from None


def _flag(name: str, value: Any) -> bool:
    word = str(value).lower()
    if word in ("true", "yes", "on"):
        return True
    if word in ("false", "no", "off"):
        return False
    raise _wrong(name, value, "true or false")


def _seconds(name: str, value: Any) -> float:
    least, most = _SECONDS[name]
    expected = f"a number of seconds from {least:g} to {most:g}"
    if isinstance(value, bool):
        raise _wrong(name, value, expected)
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        raise _wrong(name, value, expected) from None
    if not math.isfinite(seconds) or not least <= seconds <= most:
        raise _wrong(name, value, expected)
    return seconds


def _environment(value: Any) -> tuple[str, ...]:
    expected = "a list of names of environment variables, with * as wildcard"
    names = value.replace(",", " ").split() if isinstance(value, str) else value
    if not isinstance(names, list | tuple) or len(names) > _MOST_VARIABLES:
        raise _wrong("environment", value, expected)
    if not all(isinstance(name, str) and _VARIABLE.fullmatch(name) for name in names):
        raise _wrong("environment", value, expected)
    return tuple(names)
