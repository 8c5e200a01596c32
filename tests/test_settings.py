"""Where settings come from, and what is said of a wrong one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from watchgate import settings
from watchgate.errors import ConfigurationError
from watchgate.listeners import Listener
from watchgate.session.model import Address


def load(data: Path, toml: str = "", *flags: str, **environment: str) -> settings.Settings:
    (data / settings.FILE_NAME).write_text(toml)
    return settings.load(data, environment=environment, flags=flags)


def test_without_a_file_every_setting_has_its_default(tmp_path: Path) -> None:
    loaded = settings.load(tmp_path, environment={})

    assert [address.port for address in loaded.ssh.listen] == [2222]
    assert loaded.authentication.combinations == ("publickey", "password+totp")
    assert loaded.server.node
    assert loaded.origins == {}


def test_flags_beat_the_environment_which_beats_the_file(tmp_path: Path) -> None:
    toml = '[ssh]\nlogin_timeout = "10s"\nwindow = "1MiB"\nbanner = "file"\n'
    loaded = load(
        tmp_path,
        toml,
        "ssh.login_timeout=30s",
        WATCHGATE_SSH_LOGIN_TIMEOUT="20s",
        WATCHGATE_SSH_WINDOW="4MiB",
    )

    assert loaded.ssh.login_timeout == 30
    assert loaded.ssh.window == 4 << 20
    assert loaded.ssh.banner == "file"
    assert loaded.origins == {
        "ssh.login_timeout": "--set",
        "ssh.window": "WATCHGATE_SSH_WINDOW",
        "ssh.banner": str(tmp_path / "watchgate.toml"),
    }


def test_relative_paths_count_from_the_data_directory(tmp_path: Path) -> None:
    loaded = load(tmp_path, '[recording]\ndirectory = "/evidence"\n')

    assert loaded.paths.recordings == Path("/evidence")
    assert loaded.paths.spool == tmp_path / "spool"
    assert loaded.paths.auditors == tmp_path / "keys/auditors.txt"
    assert loaded.authentication.trusted_user_cas is None


def test_a_relative_data_directory_becomes_absolute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    loaded = settings.load(Path("gate"), environment={})

    assert loaded.recording.directory == tmp_path / "gate/recordings"


def test_a_listener_names_its_target(tmp_path: Path) -> None:
    loaded = load(tmp_path, '[[ssh.listeners]]\naddress = "10.0.0.7:22"\ntarget = "web1"\n')

    assert loaded.ssh.listeners == (Listener(Address("10.0.0.7", 22), "web1"),)


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ("[ssh]\nlisen = []\n", "there is no setting ssh.lisen; did you mean ssh.listen?"),
        ("[shh]\n", "there is no section [shh]; did you mean ssh?"),
        ("ssh = 1\n", "ssh is a section"),
        ("[ssh]\nwindow = 'big'\n", "ssh.window cannot be 'big'; it must be a number of octets"),
        ("[ssh]\nlisten = ['22']\n", "it must be a list with at least one entry"),
        ("[ssh]\nlisten = []\n", "ssh.listen cannot be []"),
        ("[ssh]\nwindow = 99999999999999999999e999\n", "ssh.window cannot be inf"),
        ("[[ssh.listeners]]\naddress = 'a:1'\n", "tables [[ssh.listeners]]"),
        ("[authentication]\ncombinations = ['totp']\n", "methods joined by +"),
        ("[log]\nlevel = 'loud'\n", "one of debug, info, warning, error"),
        ("[ssh\n", "is not TOML"),
    ],
)
def test_a_wrong_file_says_where_and_what_was_expected(
    tmp_path: Path, toml: str, said: str
) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(said)) as caught:
        load(tmp_path, toml)

    assert str(tmp_path / "watchgate.toml") in str(caught.value)


def test_a_file_that_is_not_text_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "watchgate.toml").write_bytes(b"[ssh]\nbanner = '\xff'\n")

    with pytest.raises(ConfigurationError, match="not UTF-8 text"):
        settings.load(tmp_path, environment={})


def test_a_directory_in_the_place_of_the_file_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "watchgate.toml").mkdir()

    with pytest.raises(ConfigurationError, match="cannot be read"):
        settings.load(tmp_path, environment={})


def test_an_unknown_variable_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="did you mean WATCHGATE_SSH_LISTEN"):
        load(tmp_path, WATCHGATE_SHH_LISTEN="a:1")


@pytest.mark.parametrize(
    "variable", ["WATCHGATE_DATA", "WATCHGATE_PORT", "WATCHGATE_SERVICE_HOST", "PATH"]
)
def test_variables_of_others_are_left_alone(tmp_path: Path, variable: str) -> None:
    assert load(tmp_path, "", **{variable: "tcp://10.0.0.1:22"}).origins == {}


@pytest.mark.parametrize("flag", ["ssh.listen", "ssh.lisen=a:1", "ssh.listeners=x", "window=1"])
def test_a_wrong_flag_is_refused(tmp_path: Path, flag: str) -> None:
    with pytest.raises(ConfigurationError, match="--set"):
        load(tmp_path, "", flag)


@pytest.mark.parametrize("row", settings.TABLE.values(), ids=lambda row: row.name)
def test_every_default_is_what_its_own_kind_reads(row: settings.Row) -> None:
    shown = row.quantity.show(row.default)

    assert row.sentence.endswith(".")
    if not row.only_in_file:
        assert row.quantity.read(shown) == row.default


def test_settings_cannot_be_changed(tmp_path: Path) -> None:
    loaded = settings.load(tmp_path, environment={})

    with pytest.raises(AttributeError):
        loaded.ssh.window = 1  # type: ignore[misc]
