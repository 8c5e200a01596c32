from __future__ import annotations

import json
from typing import Any

import pytest

from watchgate.catalog import settings
from watchgate.errors import ConfigurationError
from watchgate.session.model import (
    Device,
    FailurePolicy,
    HostKeyPolicy,
    IntegrationPolicy,
    Tampering,
    TargetSettings,
    Unreadable,
)


def test_nothing_said_is_the_defaults() -> None:
    assert settings.read({}) == TargetSettings()
    assert settings.write(TargetSettings()) == {}


def test_settings_go_through_json_unchanged() -> None:
    chosen = TargetSettings(
        on_recording_failure=FailurePolicy.SPOOL,
        host_keys=HostKeyPolicy.PINNED,
        legacy_algorithms=True,
        connect_timeout=3.5,
        environment=("LANG",),
        record_input=False,
        idle_timeout=60.0,
        integration=IntegrationPolicy.REQUIRED,
        device=Device.CISCO,
        on_unreadable=Unreadable.ALLOW,
        on_tampering=Tampering.END,
    )
    through = settings.read(json.loads(json.dumps(settings.write(chosen))))

    assert through == chosen


def test_settings_are_read_as_a_command_line_has_them() -> None:
    read = settings.read(
        {
            "host_keys": "ca",
            "legacy_algorithms": "yes",
            "connect_timeout": "5",
            "environment": "A, B_*",
        }
    )

    assert read == TargetSettings(
        host_keys=HostKeyPolicy.CA,
        legacy_algorithms=True,
        connect_timeout=5.0,
        environment=("A", "B_*"),
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("host_keys", "trust-me"),
        ("integration", "on"),
        ("device", "windows"),
        ("on_unreadable", "end"),
        ("on_tampering", ""),
        ("on_recording_failure", ""),
        ("legacy_algorithms", "maybe"),
        ("legacy_algorithms", 2),
        ("connect_timeout", 0),
        ("connect_timeout", "nan"),
        ("connect_timeout", True),
        ("connect_timeout", None),
        ("idle_timeout", -1),
        ("idle_timeout", "inf"),
        ("environment", "LD PRELOAD="),
        ("environment", [1]),
        ("environment", ["A"] * 101),
        ("environment", 5),
    ],
)
def test_a_wrong_value_says_what_was_expected(name: str, value: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"the target setting {name} cannot be"):
        settings.read({name: value})


def test_an_unknown_setting_names_the_nearest() -> None:
    with pytest.raises(ConfigurationError, match=r"did you mean record_input\?"):
        settings.read({"record_imput": True})
