"""`watchgate init`: make a data directory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from watchgate.cli.context import Context, with_common_options
from watchgate.cli.output import document

if TYPE_CHECKING:
    from watchgate.initialize import Initialized


def init(
    context: Context,
    auditor: Annotated[
        list[str] | None,
        typer.Option(
            "--auditor",
            metavar="RECIPIENT",
            help="Who can open recordings: age1… or 'ssh-ed25519 …'; may be repeated. "
            "Then no private auditor key is made here.",
        ),
    ] = None,
) -> None:
    """Make a data directory: keys, catalog, settings. Nothing that is there is overwritten."""
    from watchgate.initialize import initialize

    made = initialize(context.settings, context.clock, context.actor, auditors=auditor or ())
    if context.json:
        document(made)
    else:
        typer.echo(_text(made))


def _text(made: Initialized) -> str:
    lines = [f"Watchgate's data directory is {made.data}", "", "made:"]
    lines += [f"  {path}" for path in made.made]
    lines += [
        "",
        "operators trust the gateway by its host key, and every target behind it by its CA; both are",
        "lines of known_hosts (GATE is how they reach it, with its port):",
        f"  [GATE]:2222 {' '.join(made.host_key.split()[:2])}",
        f"  {made.known_hosts}",
        "",
        "targets trust the gateway's certificates (watchgate account add … --certificate) by this",
        "line in a file that their sshd_config names with TrustedUserCAKeys:",
        f"  {made.authority}",
        "",
        "whoever verifies recordings elsewhere needs this line (keep a copy outside this machine):",
        f"  {made.evidence}",
        "",
    ]
    if made.auditor_key is None:
        lines += ["recordings can be opened by:", *(f"  {one}" for one in made.auditors)]
    else:
        lines += [
            "ATTENTION: the private key that opens every recording lies beside the data, in",
            f"  {made.auditor_key}",
            "Whoever takes this machine can read all recordings. Move it to where the auditors",
            "work, and use it there or from there with --identity FILE:",
            f"  scp {made.auditor_key} auditor@elsewhere: && shred -u {made.auditor_key}",
            "The gateway needs only keys/auditors.txt, which holds the public half.",
        ]
    where = f" --data {made.data}"
    lines += ["", "next:", f"  watchgate operator add NAME --key FILE.pub{where}"]
    lines += [f"  watchgate serve{where}"]
    return "\n".join(lines)


command = with_common_options(init)
