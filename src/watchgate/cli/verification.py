"""`watchgate session verify`: whether recordings are as they were written; needs no secret."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from watchgate.cli import evidence
from watchgate.cli.context import Context
from watchgate.cli.output import document, visible
from watchgate.errors import ConfigurationError, NotFound
from watchgate.recording.keys import EvidencePublicKey
from watchgate.recording.verify import State, Verification
from watchgate.recording.verify import verify as verify_recording

GOOD = (State.INTACT, State.LIVE)


def verify(
    context: Context,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SESSION|FILE|DIR]...", help="What to verify; else every recording there is."
        ),
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option(
            "--key",
            metavar="FILE",
            help="The gateway's evidence.pub; else the one in the data directory.",
        ),
    ] = None,
) -> None:
    """Say of recordings: intact, incomplete or altered. Exit status 1 when one is not intact."""
    keys = _keys(context, key)
    count = bad = 0
    results = []
    for found in _named(context, names or [str(context.paths.recordings)]):
        result = verify_recording(found.path, keys, found.spool)
        count, bad = count + 1, bad + (result.state not in GOOD)
        if context.json:
            results.append({"path": found.path, "result": result})
        else:
            typer.echo(f"{result.state:<10}  {visible(str(found.path))}  {_detail(result)}")
    if context.json:
        document({"verified": count, "not_intact": bad, "recordings": results})
    elif count != 1:
        typer.echo(f"{count} recordings, {bad} not intact")
    if bad:
        raise typer.Exit(1)


def _detail(result: Verification) -> str:
    return visible(result.detail)


def _keys(context: Context, file: Path | None) -> list[EvidencePublicKey]:
    path = file or context.paths.evidence_public
    if file is None and not path.exists():
        raise ConfigurationError(
            f"verification needs the gateway's public key, and there is no {path}; "
            "name a copy of its evidence.pub with --key FILE",
            code="recording.no-key",
        )
    return EvidencePublicKey.load(path)


def _named(context: Context, names: list[str]) -> Iterator[evidence.Found]:
    """The recordings that *names* mean: sessions, files, and all in directories."""
    for name in names:
        path = Path(name)
        if not path.is_dir():
            yield evidence.find(context, name)
            continue
        if not (found := list(evidence.all_recordings(path))):
            raise NotFound(f"there is no recording in {path}", code="recording.not-found")
        yield from (evidence.find(context, str(one)) for one in found)
