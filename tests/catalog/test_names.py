from __future__ import annotations

import pytest

from watchgate.catalog import names
from watchgate.errors import ConfigurationError


@pytest.mark.parametrize("name", ["web1", "Web-1.corp_x", "0", "a" * 64])
def test_names_that_may_be_borne(name: str) -> None:
    assert names.checked("target", name) == name


@pytest.mark.parametrize(
    "name",
    ["", "-x", ".x", "a b", "a+b", "a@b", "a:b", "a/b", "ä", "a\n", "a\0", "a" * 65, "_a", "a$"],
)
def test_names_that_may_not_be_borne(name: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        names.checked("target", name)

    assert caught.value.code == "target.illegal-name"


@pytest.mark.parametrize("name", ["root", "_apt", "WEB1$", r"CORP\admin", "svc.app-1"])
def test_accounts_may_be_called_as_their_systems_call_them(name: str) -> None:
    assert names.checked_account(name) == name


@pytest.mark.parametrize("name", ["", "-l", "a@b", "a+b", "a:b", "a/b", "a b", "$x", r"\x"])
def test_accounts_may_not_break_a_user_name(name: str) -> None:
    with pytest.raises(ConfigurationError):
        names.checked_account(name)


def test_an_unknown_name_gets_the_nearest() -> None:
    near = names.unknown("target", "WEB2", ["Web1", "database"])
    far = names.unknown("target", "zzz", ["web1"])

    assert str(near) == "there is no target 'WEB2'; did you mean Web1?"
    assert str(far) == "there is no target 'zzz'; see `watchgate target list`"
    assert near.code == "target.not-found"


def test_a_taken_name_is_said_in_english() -> None:
    assert str(names.taken("operator", "bob")) == "there is already an operator 'bob'"
    assert str(names.taken("target", "web1")) == "there is already a target 'web1'"
