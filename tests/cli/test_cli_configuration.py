"""Operators, targets, accounts, grants: what an administrator configures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from .command_line import Cli

PublicKey = Callable[[str], Path]
PASSWORD = b"correct horse battery staple\n"


# --- operators -----------------------------------------------------------------------------------


def test_an_operator_is_added_with_a_key_a_role_and_a_group(
    gate: Cli, public_key: PublicKey
) -> None:
    key = public_key("alice@laptop")
    gate.done("operator", "add", "alice", "--key", str(key), "--role", "auditor", "--group", "ops")
    shown = gate.json("operator", "show", "alice")

    assert shown["operator"]["roles"] == ["auditor"]
    assert shown["operator"]["groups"] == ["ops"]
    assert [one["comment"] for one in shown["keys"]] == ["alice@laptop"]
    assert "alice" in gate.done("operator", "list")
    assert "alice@laptop" in gate.done("operator", "key", "list", "alice")


def test_a_private_key_is_not_taken_for_a_public_one(gate: Cli, public_key: PublicKey) -> None:
    gate.done("operator", "add", "alice")
    private = public_key("alice@laptop").with_suffix("")
    answer = gate("operator", "key", "add", "alice", str(private))

    assert answer.status == 2
    assert f"give the file {private}.pub" in answer.err


def test_keys_come_from_standard_input_too(gate: Cli, public_key: PublicKey) -> None:
    gate.done("operator", "add", "alice")
    lines = public_key("a@one").read_bytes() + b"# a comment\n" + public_key("a@two").read_bytes()
    added = gate.json("operator", "key", "add", "alice", "-", stdin=lines)
    gone = gate.json("operator", "key", "remove", "alice", "a@one")

    assert [key["comment"] for key in added] == ["a@one", "a@two"]
    assert gone["fingerprint"] == added[0]["fingerprint"]
    assert len(gate.json("operator", "key", "list")) == 1


def test_nothing_is_added_when_one_key_is_wrong(
    gate: Cli, public_key: PublicKey, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong.pub"
    wrong.write_text("ssh-ed25519 nonsense\n")
    good = public_key("alice@laptop")
    answer = gate("operator", "add", "alice", "--key", str(good), "--key", str(wrong))

    assert answer.status == 2
    assert gate.json("operator", "list") == []


def test_a_missing_key_file_is_named(gate: Cli) -> None:
    answer = gate("operator", "add", "alice", "--key", "/nowhere.pub")

    assert answer.status == 3
    assert "there is no file /nowhere.pub" in answer.err


def test_a_disabled_operator_is_shown_as_such_until_enabled(gate: Cli) -> None:
    gate.done("operator", "add", "alice")

    assert gate.json("operator", "disable", "alice")["disabled_at_us"] is not None
    assert "disabled" in gate.done("operator", "list")
    assert gate.json("operator", "enable", "alice")["disabled_at_us"] is None


def test_a_password_comes_from_standard_input_or_a_file(gate: Cli, tmp_path: Path) -> None:
    gate.done("operator", "add", "alice")
    file = tmp_path / "password"
    file.write_bytes(PASSWORD)
    gate.done("operator", "password", "alice", "--password-stdin", stdin=PASSWORD)
    gate.done("operator", "password", "alice", "--password-file", str(file))

    assert gate.json("operator", "show", "alice")["operator"]["has_password"]
    gate.done("operator", "password", "alice", "--clear")
    assert not gate.json("operator", "show", "alice")["operator"]["has_password"]


@pytest.mark.parametrize(
    ("stdin", "said"),
    [(b"", "standard input is empty"), (b"short\n", "12 to 1024 octets")],
)
def test_a_password_that_is_none_is_refused(gate: Cli, stdin: bytes, said: str) -> None:
    gate.done("operator", "add", "alice")
    answer = gate("operator", "password", "alice", "--password-stdin", stdin=stdin)

    assert answer.status == 2
    assert said in answer.err


def test_without_a_terminal_a_password_is_not_waited_for(gate: Cli) -> None:
    gate.done("operator", "add", "alice")
    answer = gate("operator", "password", "alice")

    assert answer.status == 2
    assert "there is no terminal to type it" in answer.err


def test_one_time_codes_are_shown_once_and_taken_away(gate: Cli) -> None:
    gate.done("operator", "add", "alice")
    made = gate.json("operator", "totp", "alice")

    assert made["url"].startswith("otpauth://totp/Watchgate%3Aalice?secret=" + made["secret"])
    assert gate.json("operator", "show", "alice")["operator"]["has_totp"]
    gate.done("operator", "totp", "alice", "--disable")
    assert not gate.json("operator", "show", "alice")["operator"]["has_totp"]


def test_no_secret_reaches_the_journal(gate: Cli) -> None:
    gate.done("operator", "add", "alice")
    gate.done("operator", "password", "alice", "--password-stdin", stdin=PASSWORD)
    secret = gate.json("operator", "totp", "alice")["secret"]
    journal = gate.done("journal", "list", "--json")

    assert PASSWORD.decode().strip() not in journal
    assert secret not in journal


def test_roles_groups_and_ways_to_log_in_are_set(gate: Cli) -> None:
    gate.done("operator", "add", "alice")
    gate.done("operator", "roles", "alice", "--role", "admin")
    gate.done("operator", "group", "join", "alice", "ops")
    gate.done("operator", "login", "alice", "--by", "publickey+totp")
    shown = gate.json("operator", "show", "alice")["operator"]

    assert shown["roles"] == ["admin"]
    assert shown["combinations"] == ["publickey+totp"]
    assert gate.json("operator", "group", "list") == [{"group": "ops", "members": 1}]
    gate.done("operator", "group", "leave", "alice", "ops")
    assert gate.json("operator", "login", "alice", "--default")["combinations"] is None
    assert gate("operator", "login", "alice").status == 2
    assert gate("operator", "roles", "alice", "--role", "king").status == 2


def test_a_removed_operator_is_gone(gate: Cli) -> None:
    gate.done("operator", "add", "alice")
    gate.done("operator", "remove", "alice")

    assert gate("operator", "show", "alice").status == 3


# --- targets -------------------------------------------------------------------------------------


def test_a_target_is_added_changed_and_removed(gate: Cli, public_key: PublicKey) -> None:
    host_key = public_key("host@web1")
    gate.done(
        *("target", "add", "web1", "--host", "10.0.0.5", "--port", "2022", "--label", "env=prod"),
        *("--set", "idle_timeout=600", "--host-key", str(host_key)),
    )
    gate.done("target", "set", "web1", "on_recording_failure=spool", "--label", "team=a")
    shown = gate.json("target", "show", "web1")

    assert shown["address"] == "10.0.0.5:2022"
    assert shown["labels"] == {"env": "prod", "team": "a"}
    assert shown["settings"]["idle_timeout"] == 600
    assert shown["settings"]["on_recording_failure"] == "spool"
    assert len(shown["host_keys"]) == 1
    assert "web1" in gate.done("target", "list", "--label", "env=prod")
    assert gate.json("target", "list", "--label", "env=test") == []
    gate.done("target", "set", "web1", "--no-label", "team", "--clear-host-keys")
    assert gate.json("target", "show", "web1")["host_keys"] == []
    assert "idle_timeout" in gate.done("target", "show", "web1")
    gate.done("target", "remove", "web1")
    assert gate("target", "show", "web1").status == 3


@pytest.mark.parametrize(
    "words",
    [
        ("--label", "env"),
        ("--set", "no_such=1"),
        ("--set", "=1"),
        ("--port", "70000"),
        ("--host-key", "/nowhere"),
    ],
)
def test_a_wrong_target_is_not_added(gate: Cli, words: tuple[str, str]) -> None:
    answer = gate("target", "add", "web1", "--host", "10.0.0.5", *words)

    assert answer.status in (2, 3)
    assert gate.json("target", "list") == []


def test_a_target_that_does_not_answer_is_said_to(gate: Cli) -> None:
    gate.done("target", "add", "web1", "--host", "127.0.0.1", "--port", "1")
    answer = gate("target", "check", "web1")

    assert answer.status == 1
    assert "web1 at 127.0.0.1:1" in answer.err


# --- accounts ------------------------------------------------------------------------------------


@pytest.fixture
def web1(gate: Cli) -> Cli:
    gate.done("target", "add", "web1", "--host", "10.0.0.5", "--label", "env=prod")
    return gate


def test_accounts_log_in_by_password_key_or_certificate(web1: Cli, public_key: PublicKey) -> None:
    private = public_key("app@web1").with_suffix("")
    web1.done("account", "add", "root@web1", "--password-stdin", stdin=PASSWORD)
    web1.done("account", "add", "app@web1", "--key", str(private))
    hint = web1.done("account", "add", "ca@web1", "--certificate")
    kinds = {one["name"]: one["credential"] for one in web1.json("account", "list", "web1")}

    assert kinds == {"root": "password", "app": "private-key", "ca": "certificate"}
    assert "TrustedUserCAKeys" in hint
    web1.done("account", "set", "root@web1", "--certificate")
    web1.done("account", "remove", "app@web1")
    assert "certificate" in web1.done("account", "list")
    assert len(web1.json("account", "list")) == 2


@pytest.mark.parametrize(
    "words",
    [
        ("add", "root", "--certificate"),
        ("add", "@web1", "--certificate"),
        ("add", "root@web1", "--certificate", "--password-stdin"),
        ("add", "root@web1", "--certificate", "--passphrase-file", "x"),
        ("add", "root@web1", "--password-file", "a", "--password-stdin"),
        ("add", "root@web1", "--password-file", "/nowhere"),
    ],
)
def test_a_wrong_account_is_not_added(web1: Cli, words: tuple[str, ...]) -> None:
    answer = web1("account", *words, stdin=PASSWORD)

    assert answer.status == 2
    assert web1.json("account", "list") == []


def test_an_account_is_named_with_its_target(web1: Cli) -> None:
    answer = web1("account", "add", "root@web2", "--certificate")

    assert answer.status == 3
    assert "did you mean web1?" in answer.err


# --- grants --------------------------------------------------------------------------------------


def test_a_grant_says_who_where_when_and_what(web1: Cli) -> None:
    web1.done("operator", "add", "alice", "--group", "ops")
    made = web1.json(
        *("grant", "add", "root@web1", "--operator", "alice", "--until", "8h", "--days", "Mon-Fri"),
        *("--hours", "08:00-18:00", "--zone", "Europe/Berlin", "--network", "10.0.0.0/8"),
        *("--max-sessions", "2", "--also", "forward-local", "--comment", "ticket 7"),
    )
    web1.done("grant", "add", "root@env=prod", "--group", "ops", "--allow", "exec")
    listed = web1.done("grant", "list", "--operator", "alice")

    assert made["operator"] == "alice"
    assert made["hours"]["weekdays"] == [0, 1, 2, 3, 4]
    assert "Mon-Fri 08:00-18:00 Europe/Berlin" in listed
    assert made["networks"] == ["10.0.0.0/8"]
    assert "forward-local" in made["capabilities"]
    assert made["until"].endswith("Z")
    assert "group ops" in listed
    assert "2 at once; ticket 7" in listed


def test_a_grant_may_elevate_and_keep_to_the_gateways_shell(web1: Cli) -> None:
    web1.done("operator", "add", "alice")
    own = web1.json("grant", "add", "root@web1", "--operator", "alice", "--elevate", "same")
    other = web1.json(
        *("grant", "add", "app@web1", "--operator", "alice"),
        *("--elevate", "root", "--shell", "gateway"),
    )
    listed = web1.done("grant", "list")

    assert (own["shell"], own["elevation"]) == ("target", "")
    assert (other["shell"], other["elevation"]) == ("gateway", "root")
    assert "elevates as same" in listed
    assert "types into the gateway's shell; elevates as root" in listed


def test_a_revoked_grant_is_only_listed_on_demand(web1: Cli) -> None:
    web1.done("operator", "add", "alice")
    made = web1.json("grant", "add", "root@web1", "--operator", "alice")
    web1.done("grant", "revoke", made["id"][:13])

    assert web1.json("grant", "list") == []
    assert "REVOKED" in web1.done("grant", "list", "--revoked")


@pytest.mark.parametrize(
    "words",
    [
        ("root@web1",),
        ("root@web1", "--operator", "alice", "--group", "ops"),
        ("root", "--operator", "alice"),
        ("root@web1", "--operator", "alice", "--until", "yesterday"),
        ("root@web1", "--operator", "alice", "--until", "2020-01-01"),
        ("root@web1", "--operator", "alice", "--zone", "Europe/Berlin"),
        ("root@web1", "--operator", "alice", "--allow", "exec", "--also", "shell"),
        ("root@web1", "--operator", "alice", "--allow", "fly"),
        ("root@web1", "--operator", "alice", "--shell", "bash"),
        ("root@web1", "--operator", "alice", "--elevate", "a b"),
    ],
)
def test_a_wrong_grant_is_not_given(web1: Cli, words: tuple[str, ...]) -> None:
    web1.done("operator", "add", "alice")
    answer = web1("grant", "add", *words)

    assert answer.status == 2
    assert web1.json("grant", "list") == []
