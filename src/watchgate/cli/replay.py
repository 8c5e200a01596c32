"""`watchgate session play` and `export`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from watchgate.catalog import queries
from watchgate.catalog.queries import CommandRow
from watchgate.cli import evidence
from watchgate.cli.context import Context
from watchgate.cli.files import create
from watchgate.cli.indexed import with_indexed
from watchgate.cli.output import document, said, warn
from watchgate.errors import ConfigurationError, NotFound
from watchgate.quantities import parse_duration
from watchgate.recording.export import FORMATS, Channel, Description, Exporter, exporter, pick
from watchgate.recording.export.frames import frames
from watchgate.recording.reader import Recording
from watchgate.terminal.playback import play as play_in_terminal
from watchgate.terminal.player import Player, PlayOptions
from watchgate.terminal.timeline import parse_moment

Name = Annotated[
    str, typer.Argument(metavar="SESSION", help="Its id or a beginning of it, or a .wgr file.")
]
Identities = Annotated[
    list[Path] | None,
    typer.Option(
        "--identity",
        metavar="FILE",
        help="The auditor's private key; else keys/auditor.key in the data directory.",
    ),
]
ChannelNumber = Annotated[
    int | None,
    typer.Option("--channel", metavar="N", help="Which channel; else the first with a terminal."),
]


def play(
    context: Context,
    name: Name,
    speed: Annotated[
        float | None, typer.Option(min=0.01, max=1000, help="How many times as fast.")
    ] = None,
    idle: Annotated[
        str | None, typer.Option(metavar="TIME", help="Cut pauses to this: 2, 500ms.")
    ] = None,
    at: Annotated[
        str | None, typer.Option(metavar="TIME", help="Begin here: 83, 1:23, 1:02:03.")
    ] = None,
    command: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Begin at the N-th command.")
    ] = None,
    channel: ChannelNumber = None,
    identity: Identities = None,
    raw: Annotated[
        bool,
        typer.Option("--raw", help="Pass all octets, also those that make a terminal answer."),
    ] = False,
) -> None:
    """Play a session in this terminal; ? shows the keys. Into a pipe it is written at once."""
    found = evidence.find(context, name)
    with evidence.open_recording(context, found, identity, "play") as recording:
        listed = _listed(context, recording) if found.spool is not None else []
        if command is not None and listed and channel is None:
            channel, command = _numbered(listed, command)
        chosen = pick(recording.records(), channel)
        duration_us = max(0, (chosen.closed_us or recording.duration_us) - chosen.opened_us)
        if context.json:
            document(_described(recording, chosen, duration_us))
            return
        at_once = not sys.stdout.isatty() and speed is None and idle is None
        options = PlayOptions(
            speed=speed or 1.0,
            idle_us=0 if at_once else _idle(idle),
            # Times are those of the session, as `session show` and `search` say them.
            at_us=max(0, _position(at) - chosen.opened_us),
            at_command=command,
            duration_us=duration_us,
            origin_us=chosen.opened_us,
            raw=raw,
        )
        typed = [
            (one.offset_us, one.text)
            for one in listed
            if one.channel == chosen.number and one.confidence != "exact"
        ]
        player = Player(lambda: frames(recording.records(), chosen, typed), options)
        keys = sys.stdin.fileno() if sys.stdin.isatty() and sys.stdout.isatty() else None
        play_in_terminal(player, context.clock, keys, sys.stdout.fileno())
    if recording.torn_octets:
        warn(f"the recording ends in {recording.torn_octets} octets that are not whole")


def export(
    context: Context,
    name: Name,
    format_name: Annotated[str, typer.Option("--format", help=f"{', '.join(FORMATS)}.")] = "text",
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write here; else to standard output.")
    ] = None,
    channel: ChannelNumber = None,
    no_input: Annotated[bool, typer.Option("--no-input", help="Leave out what was typed.")] = False,
    identity: Identities = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files.")] = False,
) -> None:
    """Write a session in another tool's format."""
    chosen = exporter(format_name)
    names = _files(chosen, output)
    if context.json and not names:
        raise ConfigurationError("with --json say where to: --output FILE", code="cli.usage")
    found = evidence.find(context, name)
    what = f"export {chosen.name}"
    with evidence.open_recording(context, found, identity, what) as recording:
        about = Description(_title(recording), recording.header.started_at_us, _facts(recording))
        with _opened(names, force=force) as files:
            used = chosen.export(
                recording.records, about, files, channel=channel, with_input=not no_input
            )
    if names:
        written = ", ".join(map(str, names))
        value = {"format": chosen.name, "files": names, "channel": used}
        said(context, f"written: {written}", value)


# --- commands ------------------------------------------------------------------------------------


def _listed(context: Context, recording: Recording) -> list[CommandRow]:
    """The commands of a session of ours, in the order and with the numbers of `session show`."""
    with context.gateway() as gateway, gateway.catalog.read() as connection:
        try:
            row = queries.find_session(connection, recording.header.session)
        except NotFound:
            return []  # a recording that the catalog has lost can be played all the same
        known = queries.commands(connection, row.id)
    return with_indexed(context, row, known)[0]


def _numbered(listed: list[CommandRow], number: int) -> tuple[int, int]:
    """The channel of the command with that number, and its number there."""
    if number > len(listed):
        raise NotFound(
            f"there is no command {number}; `session show` lists {len(listed)}",
            code="recording.position",
        )
    channel = listed[number - 1].channel
    return channel, sum(one.channel == channel for one in listed[:number])


# --- words ---------------------------------------------------------------------------------------


def _described(recording: Recording, channel: Channel, duration_us: int) -> dict[str, object]:
    header = recording.header
    return {
        "session": header.session,
        "recording": header.recording,
        "operator": header.operator,
        "account": header.account,
        "target": header.target,
        "started_at_us": header.started_at_us,
        "channel": channel,
        "duration_us": duration_us,
        "sealed": recording.sealed,
        "live": recording.live,
    }


def _title(recording: Recording) -> str:
    header = recording.header
    return f"{header.operator}: {header.account}@{header.target}"


def _facts(recording: Recording) -> dict[str, str]:
    """What a page for readers says of the session."""
    header = recording.header
    state = "sealed" if recording.sealed else "not sealed: it goes on, or a crash left it open"
    return {
        "operator": f"{header.operator} from {header.client}",
        "where": f"{header.account}@{header.target}",
        "session": header.session,
        "recording": f"{header.recording} ({'recovered after a crash' if recording.recovered else state})",
        "grant": header.grant,
    }


def _idle(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        return round(parse_duration(text) * 1_000_000)
    except ValueError as error:
        raise ConfigurationError(
            f"--idle {text}: write seconds, or a time such as 500ms", code="cli.usage"
        ) from error


def _position(text: str | None) -> int:
    if text is None:
        return 0
    position = parse_moment(text)
    if position is None:
        raise ConfigurationError(f"--at {text}: write seconds, 1:23 or 1:02:03", code="cli.usage")
    return position


def _files(chosen: Exporter, output: Path | None) -> list[Path]:
    """Where the files of a format go; none is standard output."""
    if output is not None and str(output) != "-":
        return [output, *(output.with_suffix(extension) for extension in chosen.extensions[1:])]
    if len(chosen.extensions) > 1:
        raise ConfigurationError(
            f"{chosen.name} is {len(chosen.extensions)} files; say where to with --output FILE",
            code="cli.usage",
        )
    if chosen.name == "ttyrec" and sys.stdout.isatty():
        raise ConfigurationError(
            "ttyrec is not text; say where to with --output FILE, or pipe it", code="cli.usage"
        )
    return []


@contextmanager
def _opened(names: list[Path], *, force: bool) -> Iterator[tuple[BinaryIO, ...]]:
    """The files, for their owner alone; taken away again when the export fails."""
    if not names:
        yield (sys.stdout.buffer,)
        return
    if len(set(names)) != len(names):
        raise ConfigurationError(
            f"{names[0]} has the extension of another file of the format; choose another name",
            code="cli.usage",
        )
    made: list[Path] = []
    try:
        with ExitStack() as stack:
            files = []
            for name in names:
                files.append(stack.enter_context(create(name, force=force)))
                made.append(name)
            yield tuple(files)
    except BaseException:
        for name in made:
            name.unlink(missing_ok=True)
        raise
