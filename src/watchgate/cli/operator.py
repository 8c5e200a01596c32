"""`watchgate operator`: the people who work through the gateway."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from watchgate.catalog import names
from watchgate.cli import lock, secrets
from watchgate.cli.context import Context, verb
from watchgate.cli.output import facts, moment, said, table
from watchgate.errors import ConfigurationError, NotFound
from watchgate.identity import operators, passwords, publickeys, totp

app = typer.Typer()
key_app = typer.Typer(no_args_is_help=True)
app.add_typer(key_app, name="key", help="The SSH keys with which an operator logs in.")
group_app = typer.Typer(no_args_is_help=True)
app.add_typer(group_app, name="group", help="Groups of operators, to which grants may be given.")

Name = Annotated[str, typer.Argument(metavar="OPERATOR", help="The operator's name.")]
Roles = Annotated[
    list[str] | None,
    typer.Option("--role", help="operator, admin, auditor, approver; may be repeated."),
]


@verb(app, "add")
def add(
    context: Context,
    name: Name,
    key: Annotated[
        list[Path] | None,
        typer.Option("--key", metavar="FILE", help="A public key file; may be repeated."),
    ] = None,
    role: Roles = None,
    group: Annotated[
        list[str] | None, typer.Option("--group", help="A group to join; may be repeated.")
    ] = None,
) -> None:
    """Add an operator; he can log in once he has a key or a password."""
    lines = [_public_key(path) for path in key or ()]
    with context.gateway() as gateway, gateway.change() as change:
        roles = role or operators.DEFAULT_ROLES
        operators.add(change, name, roles=roles, in_groups=group or ())
        for line in lines:
            publickeys.add(change, name, line)
        added = operators.get(change.connection, name)
    next_step = "" if added.keys else f"; next: watchgate operator key add {name} FILE"
    said(context, f"operator {name} added{next_step}", added)


@verb(app, "list")
def list_operators(
    context: Context,
    group: Annotated[str | None, typer.Option(help="Only members of this group.")] = None,
) -> None:
    """List operators."""
    with context.gateway() as gateway, gateway.catalog.read() as connection:
        found = operators.list_all(connection, group=group)
    table(
        context,
        found,
        {
            "NAME": [one.name for one in found],
            "ROLES": [one.roles for one in found],
            "GROUPS": [one.groups for one in found],
            "LOGIN": [_ways(one) for one in found],
            "STATE": [_state(one) for one in found],
        },
        empty="There is no operator; add one: watchgate operator add NAME --key FILE",
    )


@verb(app, "show")
def show(context: Context, name: Name) -> None:
    """Show one operator with his keys."""
    with context.gateway() as gateway, gateway.catalog.read() as connection:
        found = operators.get(connection, name)
        keys = publickeys.list_all(connection, name)
    lines: dict[str, object] = {
        "name": found.name,
        "state": _state(found),
        **_lock(context, found),
        "roles": found.roles,
        "groups": found.groups,
        "password": "set" if found.has_password else None,
        "one-time codes": "enrolled" if found.has_totp else None,
        "logs in by": found.combinations or "the gateway's combinations",
        "added": moment(context, found.created_at_us),
    }
    lines |= {f"key {number}": _describe(key) for number, key in enumerate(keys, 1)}
    facts(context, {"operator": found, "keys": keys}, lines)


@verb(app, "disable")
def disable(context: Context, name: Name) -> None:
    """Let an operator log in no more; sessions that are open go on."""
    with context.gateway() as gateway, gateway.change() as change:
        found = operators.disable(change, name)
    said(
        context,
        f"operator {found.name} is disabled; his open sessions go on, "
        "end them with watchgate session terminate",
        found,
    )


@verb(app, "enable")
def enable(context: Context, name: Name) -> None:
    """Let an operator log in again."""
    with context.gateway() as gateway, gateway.change() as change:
        found = operators.enable(change, name)
    said(context, f"operator {found.name} is enabled", found)


verb(app, "lock")(lock.lock)
verb(app, "unlock")(lock.unlock)


@verb(app, "remove")
def remove(context: Context, name: Name) -> None:
    """Remove an operator with his keys and grants; what he did stays in the recordings."""
    with context.gateway() as gateway, gateway.change() as change:
        operators.remove(change, name)
    said(context, f"operator {name} removed", {"removed": name})


@verb(app, "roles")
def set_roles(context: Context, name: Name, role: Roles = None) -> None:
    """Give an operator exactly these roles."""
    with context.gateway() as gateway, gateway.change() as change:
        found = operators.set_roles(change, name, role or ())
    said(context, f"operator {found.name} now is {', '.join(sorted(found.roles))}", found)


@verb(app, "login")
def set_combinations(
    context: Context,
    name: Name,
    by: Annotated[
        list[str] | None,
        typer.Option("--by", help="Methods joined by +, as publickey+totp; may be repeated."),
    ] = None,
    default: Annotated[
        bool, typer.Option("--default", help="Back to the gateway's combinations.")
    ] = False,
) -> None:
    """Say by which combinations of methods an operator logs in."""
    if default == bool(by):
        raise ConfigurationError(
            "give --by METHODS, or --default for the gateway's combinations", code="cli.usage"
        )
    with context.gateway() as gateway, gateway.change() as change:
        found = operators.set_combinations(change, name, by or None)
    ways = " or ".join(found.combinations or ("the gateway's combinations",))
    said(context, f"operator {found.name} logs in by {ways}", found)


@verb(app, "password")
def set_password(
    context: Context,
    name: Name,
    password_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Read the password from a file.")
    ] = None,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read it from standard input.")
    ] = False,
    clear: Annotated[bool, typer.Option("--clear", help="Take the password away.")] = False,
) -> None:
    """Set an operator's password; without options it is typed, without echo."""
    with context.gateway() as gateway:
        with gateway.catalog.read() as connection:
            operators.get(connection, name)
        if clear:
            with gateway.change() as change:
                passwords.clear_password(change, name)
            said(context, f"operator {name} has no password", {"operator": name, "password": False})
            return
        password = secrets.chosen(f"password of {name}", password_file, password_stdin, twice=True)
        with gateway.change() as change:
            passwords.set_password(change, passwords.Passwords(), name, password)
    said(context, f"operator {name} has a new password", {"operator": name, "password": True})


@verb(app, "totp")
def set_totp(
    context: Context,
    name: Name,
    disable: Annotated[bool, typer.Option("--disable", help="Take the codes away.")] = False,
) -> None:
    """Give an operator a new secret for one-time codes; it is shown this once."""
    with context.gateway() as gateway:
        gateway_vault = gateway.vault
        if disable:
            with gateway.change() as change:
                had = totp.disable(change, gateway_vault, name)
            said(
                context,
                f"operator {name} has no one-time codes" + ("" if had else ", and had none"),
                {"operator": name, "totp": False},
            )
            return
        with gateway.change() as change:
            made = totp.enroll(change, gateway_vault, name)
    secret, url = made.secret.reveal_text(), made.url.reveal_text()
    said(
        context,
        f"operator {made.operator} types this into an authenticator, or scans it as a QR code; "
        f"it is not shown again:\n  secret  {secret}\n  address {url}",
        {"operator": made.operator, "totp": True, "secret": secret, "url": url},
    )


# --- keys ----------------------------------------------------------------------------------------


@verb(key_app, "add")
def add_key(
    context: Context,
    name: Name,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A public key file, or - for standard input.")
    ],
) -> None:
    """Enter the public keys in a file (one a line, as ~/.ssh/id_ed25519.pub or authorized_keys)."""
    lines = _public_keys(file)
    with context.gateway() as gateway, gateway.change() as change:
        added = [publickeys.add(change, name, line) for line in lines]
    said(context, "\n".join(f"{name} has the key {_describe(key)}" for key in added), added)


@verb(key_app, "list")
def list_keys(
    context: Context,
    name: Annotated[str | None, typer.Argument(metavar="[OPERATOR]", help="Only his.")] = None,
) -> None:
    """List the keys of one operator, or of all."""
    with context.gateway() as gateway, gateway.catalog.read() as connection:
        found = publickeys.list_all(connection, name)
    table(
        context,
        found,
        {
            "OPERATOR": [key.operator for key in found],
            "KIND": [key.algorithm for key in found],
            "FINGERPRINT": [key.fingerprint for key in found],
            "COMMENT": [key.comment for key in found],
        },
        empty="There is no key; add one: watchgate operator key add OPERATOR FILE",
    )


@verb(key_app, "remove")
def remove_key(
    context: Context,
    name: Name,
    key: Annotated[str, typer.Argument(metavar="KEY", help="Its fingerprint, id or comment.")],
) -> None:
    """Remove a key; it opens nothing from the next login on."""
    with context.gateway() as gateway, gateway.change() as change:
        gone = publickeys.remove(change, name, key)
    said(context, f"{name} no longer has the key {_describe(gone)}", gone)


# --- groups --------------------------------------------------------------------------------------


@verb(group_app, "list")
def list_groups(context: Context) -> None:
    """List the groups that have members."""
    with context.gateway() as gateway, gateway.catalog.read() as connection:
        found = operators.groups(connection)
    table(
        context,
        [{"group": name, "members": count} for name, count in found.items()],
        {"GROUP": found.keys(), "MEMBERS": found.values()},
        empty="There is no group; make one: watchgate operator group join OPERATOR GROUP",
    )


GroupName = Annotated[str, typer.Argument(metavar="GROUP", help="The group's name.")]


@verb(group_app, "join")
def join(context: Context, name: Name, group: GroupName) -> None:
    """Put an operator into a group; the group begins with its first member."""
    with context.gateway() as gateway, gateway.change() as change:
        found = operators.join(change, name, group)
    said(context, f"operator {found.name} is in the group {names.fold(group)}", found)


@verb(group_app, "leave")
def leave(context: Context, name: Name, group: GroupName) -> None:
    """Take an operator out of a group."""
    with context.gateway() as gateway, gateway.change() as change:
        found = operators.leave(change, name, group)
    said(context, f"operator {found.name} is not in the group {names.fold(group)}", found)


# --- words ---------------------------------------------------------------------------------------


def _state(operator: operators.OperatorAccount) -> str:
    if operator.locked:
        return "locked, disabled" if operator.disabled else "locked"
    return "disabled" if operator.disabled else "enabled"


def _lock(context: Context, operator: operators.OperatorAccount) -> dict[str, object]:
    if not operator.locked:
        return {}
    since = moment(context, operator.locked_at_us)
    return {"locked": f"since {since} by {operator.locked_by}: {operator.locked_reason}"}


def _ways(operator: operators.OperatorAccount) -> str:
    keys = f"{operator.keys} key{'s' if operator.keys != 1 else ''}" if operator.keys else ""
    ways = (keys, "password" * operator.has_password, "codes" * operator.has_totp)
    return ", ".join(filter(None, ways)) or "none"


def _describe(key: publickeys.PublicKey) -> str:
    return f"{key.fingerprint} {key.algorithm} {key.comment}".rstrip()


def _public_key(file: Path) -> str:
    lines = _public_keys(file)
    if len(lines) != 1:
        raise ConfigurationError(
            f"{file} holds {len(lines)} lines; a public key file has one", code="key.illegal"
        )
    return lines[0]


def _public_keys(file: Path) -> list[str]:
    """The lines of a public key file that hold keys."""
    if str(file) == "-":
        octets = secrets.from_standard_input().reveal()
    else:
        octets = _read(file)
    if b"PRIVATE KEY" in octets:
        raise ConfigurationError(
            f"{file} is a private key, which stays with its owner; give the file {file}.pub",
            code="key.private",
        )
    lines = octets.decode("utf-8", "replace").splitlines()
    found = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    if not found:
        raise ConfigurationError(f"{file} holds no public key", code="key.illegal")
    return found


def _read(file: Path) -> bytes:
    try:
        with open(file, "rb") as opened:
            return opened.read(secrets.CEILING)
    except FileNotFoundError as error:
        raise NotFound(f"there is no file {file}", code="key.not-found") from error
    except OSError as error:
        raise ConfigurationError(
            f"{file} cannot be read: {error.strerror}", code="key.unreadable"
        ) from error
