"""`watchgate target import`: machines of OpenSSH's, Ansible's and plain lists as targets."""

from __future__ import annotations

import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from watchgate.cli.asking import confirm
from watchgate.cli.context import Context
from watchgate.cli.output import document, on_one_line, plain, warn
from watchgate.errors import ConfigurationError, NotFound
from watchgate.session.model import CredentialKind

if TYPE_CHECKING:
    from watchgate.configuration.entries import TargetEntry
    from watchgate.configuration.imports.proposals import Gathered, Machine, Proposal

# What reads files is imported by the verb alone: every other verb of `target` begins sooner.


class Form(StrEnum):
    """Whose list it is."""

    SSH_CONFIG = "ssh-config"
    ANSIBLE = "ansible"
    HOSTS = "hosts"


def import_targets(
    context: Context,
    form: Annotated[Form, typer.Argument(metavar="FORM", help="ssh-config, ansible or hosts.")],
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="The file, or - for standard input.")
    ],
    label: Annotated[
        list[str] | None,
        typer.Option("--label", metavar="K=V", help="A label for all; may be repeated."),
    ] = None,
    prefix: Annotated[str, typer.Option(help="What all names begin with.")] = "",
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only", metavar="PATTERN", help="Only names or hosts like it (*, ?); may be repeated."
        ),
    ] = None,
    accounts: Annotated[
        bool, typer.Option("--accounts", help="Add the accounts that the file names, too.")
    ] = False,
    credential: Annotated[
        CredentialKind, typer.Option(help="How these accounts log in; secrets are set later.")
    ] = CredentialKind.CERTIFICATE,
    as_yaml: Annotated[
        bool, typer.Option("--yaml", help="Print a file for `watchgate apply`; add nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Add the machines of a file as targets; shows them and asks. Nothing in the file is run."""
    from watchgate.configuration.imports import proposals
    from watchgate.configuration.places import FilesRefused

    gathered = proposals.Gathered()
    try:
        _read(form, file, gathered)
    except FilesRefused as error:
        from watchgate.cli import differences

        raise differences.refuse(context, error) from error
    machines = proposals.chosen(
        gathered.machines, only=only or (), prefix=prefix, labels=_labels(label)
    )
    if as_yaml:
        _print_file(proposals.compare(gathered, machines, {}), accounts, credential)
    else:
        _add(context, gathered, machines, credential if accounts else None, yes=yes)


def _labels(texts: list[str] | None) -> dict[str, str]:
    pairs = [text.partition("=") for text in texts or ()]
    if any(not key or not equals for key, equals, _ in pairs):
        raise ConfigurationError("write --label name=value", code="cli.usage")
    return {key: value for key, _, value in pairs}


def _read(form: Form, file: Path, gathered: Gathered) -> None:
    from watchgate.configuration.imports import ansible, hosts, proposals, ssh_config

    octets = _octets(file, proposals.LARGEST)
    named = "standard input" if str(file) == "-" else str(file)
    match form:
        case Form.SSH_CONFIG:
            place = None if str(file) == "-" else Path(os.path.abspath(file)).parent
            ssh_config.read(octets, named, place, gathered)
        case Form.ANSIBLE:
            ansible.read(octets, named, gathered)
        case Form.HOSTS:
            hosts.read(octets, named, gathered)


def _octets(file: Path, most: int) -> bytes:
    if str(file) == "-":
        return sys.stdin.buffer.read(most + 1)
    if file.is_dir():
        raise ConfigurationError(f"{file} is a directory; name one file", code="import.no-file")
    try:
        with open(file, "rb") as opened:
            return opened.read(most + 1)
    except FileNotFoundError as error:
        raise NotFound(f"there is no file {file}", code="import.not-found") from error
    except OSError as error:
        raise ConfigurationError(
            f"{file} cannot be read: {error.strerror}", code="import.unreadable"
        ) from error


def _print_file(proposal: Proposal, accounts: bool, credential: CredentialKind) -> None:
    from watchgate.configuration.exporting import targets_file

    _say_remarks(proposal)
    entries = [_entry(one, credential if accounts else None) for one in proposal.added]
    typer.echo(targets_file(entries), nl=False)


def _entry(machine: Machine, credential: CredentialKind | None) -> TargetEntry:
    from watchgate.configuration.entries import TargetEntry

    accounts = {} if credential is None else dict.fromkeys(machine.accounts, credential)
    return TargetEntry(
        machine.name, machine.host, machine.port, labels=machine.labels, accounts=accounts
    )


def _add(
    context: Context,
    gathered: Gathered,
    machines: list[Machine],
    credential: CredentialKind | None,
    *,
    yes: bool,
) -> None:
    from watchgate.catalog import targets
    from watchgate.configuration.imports import proposals
    from watchgate.configuration.imports.adding import add

    with context.gateway() as gateway:
        with gateway.catalog.read() as connection:
            listed = targets.list_all(connection)
        there = {one.name: (one.address.host, one.address.port) for one in listed}
        proposal = proposals.compare(gathered, machines, there)
        if not context.json:
            _show(proposal, credential)
        if proposal.added:
            confirm(f"Add {_counted(proposal.added)} to {context.data}?", yes=yes)
            with gateway.change() as change:
                add(change, proposal.added, credential)
    if context.json:
        document(plain(proposal))
    elif proposal.added:
        typer.echo(f"{_counted(proposal.added)} added; next: watchgate target check TARGET")
    else:
        typer.echo("There is nothing to add.")


def _counted(machines: tuple[Machine, ...]) -> str:
    return f"{len(machines)} target{'' if len(machines) == 1 else 's'}"


def _show(proposal: Proposal, credential: CredentialKind | None) -> None:
    for machine in proposal.added:
        labels = " ".join(f"{key}={value}" for key, value in machine.labels.items())
        accounts = ", ".join(machine.accounts) if credential is not None else ""
        also = f"  with {accounts} ({credential})" if accounts else ""
        line = f"+ target {machine.name}  {_address(machine)}  {labels}"
        typer.echo(on_one_line(line.rstrip() + also))
    for machine in proposal.present:
        typer.echo(on_one_line(f"= target {machine.name}  {_address(machine)}  is there already"))
    for one in proposal.differing:
        line = f"! target {one.machine.name}  is {one.there} here and {_address(one.machine)} in the file; left as it is"
        typer.echo(on_one_line(line))
    _say_remarks(proposal)


def _say_remarks(proposal: Proposal) -> None:
    for remark in proposal.remarks:
        typer.echo(on_one_line(str(remark)), err=True)
    if proposal.unsaid:
        warn(f"and {proposal.unsaid} more remarks")


def _address(machine: Machine) -> str:
    return (
        f"[{machine.host}]:{machine.port}"
        if ":" in machine.host
        else f"{machine.host}:{machine.port}"
    )
