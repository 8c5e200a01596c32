"""`watchgate target check`: who answers at a target's address, and whether its accounts log in."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Annotated

import asyncssh
import typer

from watchgate.catalog import targets
from watchgate.cli.context import Context, Gateway
from watchgate.cli.output import document, on_one_line
from watchgate.errors import TargetUnreachable, WatchgateError
from watchgate.identifiers import uuid7
from watchgate.identity.authority import Authority
from watchgate.protocols.ssh.reach import reach
from watchgate.secret import Secret
from watchgate.session.model import (
    Account,
    Credential,
    CredentialKind,
    Grant,
    HostKeyPolicy,
    Operator,
    Route,
    Target,
)
from watchgate.vault import accounts
from watchgate.vault.vault import ACCOUNT


@dataclass(frozen=True, slots=True)
class HostKey:
    """What showed itself at the target's address."""

    fingerprint: str
    line: str
    trust: str
    """`known`, `new`, `changed`, or `by-ca`: then only a login tells."""


@dataclass(frozen=True, slots=True)
class Login:
    """What a login with an account came to."""

    account: str
    credential: str
    problem: str | None


def check(
    context: Context,
    name: Annotated[str, typer.Argument(metavar="TARGET", help="The target's name.")],
    account: Annotated[
        str | None, typer.Option("--account", help="Try only this account; else all of it.")
    ] = None,
    trust: Annotated[
        bool, typer.Option("--trust", help="Pin the host key that it shows, when none is pinned.")
    ] = False,
) -> None:
    """Connect to a target, show its host key, and log in with its accounts."""
    with context.gateway() as gateway:
        with gateway.catalog.read() as connection:
            target = targets.get(connection, name)
            found = accounts.list_all(connection, on=name)
            if account is not None:
                found = [accounts.get(connection, name, account)]
        key = asyncio.run(_host_key(target))
        if trust and key.trust == "new":
            with gateway.change() as change:
                targets.trust_first(change, target.id, key.line)
                target = targets.get(change.connection, name)  # with the key that is pinned now
        authority = Authority.open(context.paths.authority_key, context.clock)
        logins = [_try(context, gateway, authority, target, one) for one in found]
    failed = key.trust == "changed" or any(login.problem for login in logins)
    if context.json:
        document({"target": target, "host_key": key, "logins": logins})
    else:
        _say(target, key, logins, pinned=trust and key.trust == "new")
    if failed:
        raise typer.Exit(1)


def _say(target: Target, key: HostKey, logins: list[Login], *, pinned: bool) -> None:
    words = {
        "known": "as it is known",
        "new": "pinned now" if pinned else "not seen before; compare it, then --trust pins it",
        "changed": "NOT the one that is known: look why before anybody logs in; "
        f"watchgate target set {target.name} --clear-host-keys forgets the old one",
        "by-ca": "trusted when the target's CA certifies it",
    }
    typer.echo(f"{target.address} answers with the host key {key.fingerprint}, {words[key.trust]}")
    for login in logins:
        result = on_one_line(login.problem) if login.problem else "logs in"
        typer.echo(f"{login.account}@{target.name} ({login.credential}): {result}")
    if not logins:
        typer.echo(f"it has no account yet; add one: watchgate account add ACCOUNT@{target.name}")


async def _host_key(target: Target) -> HostKey:
    address, seconds = target.address, target.settings.connect_timeout
    try:
        async with asyncio.timeout(seconds):
            key = await asyncssh.get_server_host_key(
                address.host,
                address.port,
                config=None,
                server_host_key_algs=_preferred(target) or (),
            )
    except TimeoutError as error:
        raise TargetUnreachable(
            f"{target.name} at {address} did not answer within {seconds:g} seconds; "
            "is it up, and does a firewall let the gateway through?"
        ) from error
    except (OSError, asyncssh.Error) as error:
        raise TargetUnreachable(f"{target.name} at {address}: {error}") from error
    if key is None:
        raise TargetUnreachable(f"{target.name} at {address} showed no host key")
    line = b" ".join(key.export_public_key("openssh").split()[:2]).decode()
    return HostKey(key.get_fingerprint(), line, _trust(target, line))


def _preferred(target: Target) -> list[str]:
    """Ask for the kind of key that is pinned: a host has several, and another is no change."""
    if target.settings.host_keys is HostKeyPolicy.CA:
        return []
    return list(dict.fromkeys(line.split()[0] for line in target.host_keys))


def _trust(target: Target, line: str) -> str:
    if target.settings.host_keys is HostKeyPolicy.CA:
        return "by-ca"
    if not target.host_keys:
        return "new"
    return "known" if line in target.host_keys else "changed"


def _try(
    context: Context, gateway: Gateway, authority: Authority, target: Target, account: Account
) -> Login:
    """Log in and out again; what stops it is the answer."""
    # The target's own log shows this id for a certificate, as it shows a session's.
    identifier = uuid7(context.clock)
    route = Route(Operator("", context.actor), target, account, Grant(f"check-{identifier}"))
    try:
        credential = _credential(gateway, account)
        asyncio.run(_log_in(route, credential, identifier, authority))
    except WatchgateError as error:
        return Login(account.name, str(account.credential), str(error))
    return Login(account.name, str(account.credential), None)


def _credential(gateway: Gateway, account: Account) -> Credential:
    if account.credential is CredentialKind.CERTIFICATE:
        return Credential(account.credential, account.name, Secret(b""))
    with gateway.catalog.read() as connection:
        secret = gateway.vault.fetch(connection, ACCOUNT, account.id)
    if secret is None:
        raise WatchgateError("it has no secret in the vault; remove it and add it again")
    return Credential(account.credential, account.name, secret)


async def _log_in(
    route: Route, credential: Credential, identifier: str, authority: Authority
) -> None:
    reached = await reach(route, credential, identifier, authority)
    reached.connection.close()
    await reached.connection.wait_closed()
