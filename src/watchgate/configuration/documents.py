"""What may stand in a file: the one table from which files are read, and schema and reference made."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum
from functools import partial
from typing import Any, get_type_hints

from watchgate.catalog import hosts, names, settings, targets
from watchgate.configuration import keys, terms
from watchgate.configuration.entries import GrantEntry, OperatorEntry, TargetEntry
from watchgate.configuration.shapes import (
    Checked,
    Choice,
    Flag,
    Key,
    Many,
    Named,
    Number,
    Record,
    Shape,
    ShortOr,
    Text,
)
from watchgate.errors import ConfigurationError
from watchgate.identity.combinations import Combinations
from watchgate.identity.grants import EVERY, parse_elevation, parse_networks
from watchgate.identity.operators import Role
from watchgate.session.model import Capability, CredentialKind, ShellKind, TargetSettings

VERSION = 1
PRIVATE_PREFIX = "x-"
MOST_KEYS = 200
MOST_MEMBERS = 10_000


def _name(noun: str) -> Callable[[str], str]:
    return partial(names.checked, noun)


def _folded_group(text: str) -> str:
    return names.fold(names.checked("group", text))


# --- operators -----------------------------------------------------------------------------------

OPERATOR = Record(
    "an operator",
    (
        Key(
            "roles",
            Many(Choice(Role), len(Role), frozenset),
            "What he may do in Watchgate itself; else `operator`.",
        ),
        Key(
            "groups",
            Many(Text("the name of a group", _folded_group), 100, frozenset),
            "The groups that he is in.",
        ),
        Key(
            "keys",
            Many(
                Text(
                    "an OpenSSH public key line",
                    keys.operator_key,
                    example="ssh-ed25519 AAAA… alice@laptop",
                ),
                MOST_KEYS,
                frozenset,
            ),
            "His SSH keys, exactly these. Without it, keys that files gave are taken away and keys that were entered by hand stay.",
        ),
        Key(
            "login",
            Many(
                Text("methods joined by +", example="publickey+totp"),
                20,
                lambda ways: Combinations.parse(ways).describe(),
            ),
            "Combinations of methods by which he logs in; else the gateway's.",
        ),
        Key(
            "disabled",
            Flag(),
            "Whether he is kept out. Without it his state stays: an apply never lets somebody in again whom an admin has disabled.",
        ),
    ),
)


def _operators(found: dict[str, dict[str, Any]]) -> tuple[OperatorEntry, ...]:
    for name, said in found.items():
        if said.get("roles") == frozenset():
            raise ConfigurationError(
                f"{name} has an empty list of roles; leave roles out for the role operator",
                code="operator.unknown-role",
            )
    return tuple(OperatorEntry(name, **said) for name, said in found.items())


# --- targets -------------------------------------------------------------------------------------

SETTINGS = {
    "on_recording_failure": "What happens to a session whose recording fails.",
    "host_keys": "How the target proves who it is.",
    "legacy_algorithms": "Whether old key exchanges, ciphers and signatures are offered to it too.",
    "connect_timeout": "Seconds from the first packet to a login.",
    "environment": "Variables of the client that may pass, with `*` as wildcard.",
    "record_input": "Whether what is typed is recorded, beside what is shown.",
    "idle_timeout": "Seconds without an octet either way after which a session ends; 0 is never.",
    "index": "What of its sessions can be searched for.",
    "integration": "Whether its shells are asked to tell each command before they run it.",
    "device": "What its command line is; only a Unix shell is ever sent what nobody typed.",
    "on_unreadable": "What becomes of a line that the gateway cannot read, where rules hold.",
    "on_tampering": "What becomes of a session whose shell ceases to tell its commands.",
}


def _setting(name: str, hint: Any) -> Key:
    shape: Shape
    if hint is bool:
        shape = Flag()
    elif hint is float:
        shape = Number(0, 30 * 86_400)
    elif isinstance(hint, type) and issubclass(hint, StrEnum):
        shape = Choice(hint)
    else:
        shape = Many(Text("a name"), 100)
    return Key(
        name,
        Checked(shape, lambda value: getattr(settings.read({name: value}), name)),
        SETTINGS.get(name, f"The setting `{name}`, as `watchgate target set` takes it."),
    )


TARGET_SETTINGS = Record(
    "a target",
    tuple(_setting(name, hint) for name, hint in get_type_hints(TargetSettings).items()),
    settings.read,
)


def _address(text: str) -> tuple[str, int]:
    host, port = hosts.split(text)
    return hosts.checked(host), hosts.SSH_PORT if port is None else hosts.checked_port(port)


def _protocol(text: str) -> str:
    if text not in targets.PROTOCOLS:
        raise ConfigurationError(
            f"the protocol {text!r} is not known; there is {', '.join(targets.PROTOCOLS)}",
            code="target.unknown-protocol",
        )
    return text


ACCOUNT = ShortOr(
    Choice(CredentialKind),
    Record(
        "an account",
        (
            Key(
                "credential",
                Choice(CredentialKind),
                "How it logs in. The secret itself never stands in a file.",
                required=True,
            ),
        ),
        lambda said: said["credential"],
    ),
    "credential",
)

LABELS = Named(
    "label",
    str,
    Text("a text of letters, digits, spaces and . _ - / @", example="prod"),
    lambda found: targets.checked_labels(found.items()),
)

TARGET = Record(
    "a target",
    (
        Key(
            "address",
            Text("host, or host:port", _address, example="10.0.0.5:2222"),
            "Its host name or address, with its port when that is not 22.",
            required=True,
        ),
        Key(
            "protocol",
            Text(f"one of {', '.join(targets.PROTOCOLS)}", _protocol),
            "What it speaks; else `ssh`.",
        ),
        Key("labels", LABELS, "Its labels, exactly these."),
        Key("settings", TARGET_SETTINGS, "Its settings; what is not said has its default."),
        Key(
            "host_keys",
            Many(Text("an OpenSSH public key line", keys.host_key), 50, frozenset),
            "The keys that it is trusted by, exactly these (a CA's with the setting `host_keys: ca`). Without it, what was pinned stays.",
        ),
        Key(
            "accounts",
            Named("account", names.checked_account, ACCOUNT),
            "Its accounts by name, each with the kind of its credential.",
        ),
    ),
)


def _targets(found: dict[str, dict[str, Any]]) -> tuple[TargetEntry, ...]:
    made = []
    for name, said in found.items():
        host, port = said["address"]
        rest = {key: value for key, value in said.items() if key != "address"}
        made.append(TargetEntry(name, host, port, **rest))
    return tuple(made)


# --- grants --------------------------------------------------------------------------------------


def _account(text: str) -> str:
    return text if text == EVERY else names.checked_account(text)


def _target(text: str) -> str:
    return text if text == EVERY else names.checked("target", text)


_MOMENT = Text(
    "a date, or a date with a time",
    terms.moment,
    may_be=frozenset({"a date"}),
    example="2026-11-21T18:00Z",
)
_CAPABILITIES = Many(Choice(Capability), len(Capability))

GRANT = Record(
    "a grant",
    (
        Key(
            "operator",
            Text("the name of an operator", _name("operator")),
            "To this operator; or `group`.",
        ),
        Key("group", Text("the name of a group", _folded_group), "To this group; or `operator`."),
        Key(
            "account",
            Text('the name of an account, or "*" for all', _account),
            'The account; `"*"` is every one.',
            required=True,
        ),
        Key(
            "target",
            Text('the name of a target, or "*" for all', _target),
            'On this target, `"*"` is every one; or `labels`.',
        ),
        Key("labels", LABELS, "On every target that bears all of these labels; or `target`."),
        Key(
            "allow",
            _CAPABILITIES,
            "Exactly what is permitted; else shell, exec, upload and download.",
        ),
        Key("also", _CAPABILITIES, "What is permitted beyond shell, exec, upload and download."),
        Key("from", _MOMENT, "Not before this moment."),
        Key("until", _MOMENT, "Not after this moment."),
        Key(
            "days",
            Text("weekdays, as Mon-Fri or Sat,Sun", example="Mon-Fri"),
            "Only on these weekdays; needs `zone`.",
        ),
        Key(
            "hours",
            Text("a window of the day, as 08:00-18:00", example="08:00-18:00"),
            "Only in this window of the day; needs `zone`.",
        ),
        Key(
            "zone",
            Text("a time zone, as Europe/Berlin", example="Europe/Berlin"),
            "Whose clock days, hours and moments without an offset mean.",
        ),
        Key(
            "networks",
            Many(
                Checked(Text("a network, as 10.0.0.0/8"), lambda text: parse_networks([text])[0]),
                100,
            ),
            "Only from these networks.",
        ),
        Key(
            "max_sessions",
            Number(0, 1_000_000, whole=True),
            "At most so many sessions of each operator at one time; 0 is no limit.",
        ),
        Key(
            "shell",
            Choice(ShellKind),
            "Whose line editor the operator types into; with the gateway's, no shell on the target sees free text. Else the target's.",
        ),
        Key(
            "elevation",
            Text("the name of an account, or same", parse_elevation, example="same"),
            "Whose password, out of the vault, answers sudo, su, doas and enable: an account of the same target, or `same`, the session's own. Without it the operator types it himself.",
        ),
        Key("comment", Text("text"), "Why; for those who review grants."),
    ),
    terms.grant,
)


def _grants(found: dict[str, dict[str, Any]]) -> tuple[GrantEntry, ...]:
    return tuple(GrantEntry(name, **said) for name, said in found.items())


# --- a file --------------------------------------------------------------------------------------


def _version(value: int) -> int:
    if value != VERSION:
        raise ConfigurationError(
            f"version {value} of these files is not known to this program; it knows {VERSION}",
            code="configuration.unknown-version",
        )
    return value


def _members(found: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(found))


DOCUMENT = Record(
    "a file",
    (
        Key(
            "version",
            Checked(Number(0, 1000, whole=True), _version),
            f"The version of this format: {VERSION}.",
        ),
        Key(
            "owner",
            Text("a name", _name("owner")),
            "Whose files these are; else `files`. Only in `watchgate.yaml` at the top of the directory.",
        ),
        Key(
            "operators",
            Named("operator", _name("operator"), OPERATOR, _operators),
            "Operators by name.",
        ),
        Key(
            "groups",
            Named(
                "group",
                _folded_group,
                Many(Text("the name of an operator", _name("operator")), MOST_MEMBERS, _members),
            ),
            "Groups by name, each with a list of its members, who are operators of these files. The same as `groups` of each.",
        ),
        Key("targets", Named("target", _name("target"), TARGET, _targets), "Targets by name."),
        Key(
            "grants",
            Named("grant", _name("grant"), GRANT, _grants),
            "Grants, each by a name of its own.",
        ),
    ),
    ignored=PRIVATE_PREFIX,
)
