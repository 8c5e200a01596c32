"""One self-contained page that plays a channel offline, with its commands beside it and search inside.

The page holds pictures of the screen (see pictures.py), compressed; its script is the one in `assets`,
named by digest in a content security policy that forbids everything else. Whatever the recording holds
is text to it. It is written as a stream: one chunk is held at a time.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources
from typing import Any, BinaryIO

from watchgate.clock import iso
from watchgate.errors import RecordingUnreadable
from watchgate.recording.contents import Contents, FoundCommand, FoundText
from watchgate.recording.export.pictures import Chunk, Pictures
from watchgate.recording.export.sentences import sentence, shown
from watchgate.recording.export.source import Channel, Description, OnTerminal
from watchgate.recording.records import RecordLike, envelope, size
from watchgate.session.events import PolicyFrozen, RulesFrozen
from watchgate.session.ports import RecordKind
from watchgate.terminal.lazy import LazyScreen
from watchgate.terminal.lines import safe
from watchgate.terminal.screen import Screen
from watchgate.terminal.screens import open_screen

MOST_HAPPENINGS = 5_000
"""So many lines the list of what happened has at most; the other formats have all."""
_TEXT_BLOCK = 256 * 1024


def write(
    records: Iterable[RecordLike],
    about: Description,
    channel: Channel,
    files: tuple[BinaryIO, ...],
    with_input: bool = True,
) -> None:
    """Write the page of *channel*, with the commands and events of the whole session."""
    (out,) = files
    page = _Page(out, about, channel)
    page.begin()
    for record in records:
        page.add(record)
    page.finish()


class _Page:
    def __init__(self, out: BinaryIO, about: Description, channel: Channel) -> None:
        self._out = out
        self._about = about
        self._channel = channel
        self._on_terminal = OnTerminal(channel)
        self._pictures = Pictures(_timed, channel.columns, channel.rows)
        self._contents = Contents(open_screen, screens=True)
        self._commands: list[FoundCommand] = []
        self._listed: dict[int, int] = {}
        """Where a command that an event said stands among them."""
        self._texts = _Texts(out)
        self._happenings: list[tuple[int, str]] = []
        self._left_out = 0
        self._last_us = channel.opened_us

    def begin(self) -> None:
        title = html.escape(shown(self._about.title))
        style, script = _asset("player.css"), _asset("player.js")
        policy = (
            f"default-src 'none'; script-src '{_digest(script)}'; style-src '{_digest(style)}'; "
            "base-uri 'none'; form-action 'none'"
        )
        facts = "".join(
            f"<div><dt>{html.escape(name)}</dt><dd>{html.escape(shown(value))}</dd></div>"
            for name, value in self._facts().items()
        )
        head = _asset("page.html").format(
            policy=html.escape(policy, quote=True), title=title, style=style, facts=facts
        )
        self._out.write(head.encode())

    def add(self, record: RecordLike) -> None:
        self._last_us = max(self._last_us, record.t_us)
        if record.kind is RecordKind.EVENT:
            self._happened(record)
        elif record.channel == self._channel.number:
            self._draw(record)
        for found in self._contents.add(record):
            self._found(found)

    def finish(self) -> None:
        for found in self._contents.finish():
            self._found(found)
        for chunk in self._pictures.finish():
            self._put(chunk)
        self._texts.finish()
        self._write_data("about", self._player_facts())
        here = [one for one in self._commands if one.channel == self._channel.number]
        self._write_data("commands", [self._command(one) for one in here])
        self._out.write(self._happened_table().encode())
        script = _asset("player.js")
        self._out.write(f"<script>{script}</script>\n</body>\n</html>\n".encode())

    # --- what is drawn ---

    def _draw(self, record: RecordLike) -> None:
        t_us = max(0, record.t_us - self._channel.opened_us)
        if record.kind is RecordKind.RESIZE:
            chunks = self._pictures.resized(t_us, *size(record.data))
        elif record.kind in (RecordKind.OUTPUT, RecordKind.ERROR):
            chunks = self._pictures.output(t_us, self._on_terminal(record.data))
        else:
            return
        for chunk in chunks:
            self._put(chunk)

    def _put(self, chunk: Chunk) -> None:
        packed = _deflated(chunk.to_json())
        self._out.write(
            f'<script type="text/plain" class="pictures" data-t="{chunk.t_ms}">'.encode()
            + packed
            + b"</script>\n"
        )

    # --- what is listed ---

    def _found(self, found: FoundCommand | FoundText) -> None:
        if isinstance(found, FoundCommand):
            known = None if found.seq is None else self._listed.get(found.seq)
            if known is not None:
                self._commands[known] = found
                return
            if found.seq is not None:
                self._listed[found.seq] = len(self._commands)
            self._commands.append(found)
            if found.seq is None and found.confidence != "exact":
                self._happening(found.t_us, f"command (inferred): {shown(found.text)}")
        elif found.channel == self._channel.number:
            self._texts.add(self._milliseconds(found.t_us), found.text)

    def _happened(self, record: RecordLike) -> None:
        try:
            event = envelope(record).event
        except RecordingUnreadable:
            self._happening(record.t_us, "an event that cannot be read")
            return
        if not isinstance(event, PolicyFrozen | RulesFrozen):
            self._happening(record.t_us, sentence(event))

    def _happening(self, t_us: int, text: str) -> None:
        if len(self._happenings) < MOST_HAPPENINGS:
            self._happenings.append((t_us, text))
        else:
            self._left_out += 1

    def _happened_table(self) -> str:
        self._happenings.sort(key=_time)
        rows = "".join(
            f"<tr><td>{html.escape(_wall(self._about, t_us))}</td>"
            f"<td><code>{html.escape(text)}</code></td></tr>\n"
            for t_us, text in self._happenings
        )
        more = f"<p>{self._left_out} more are in the recording.</p>" if self._left_out else ""
        return (
            "<section><h2>What happened</h2><table><thead><tr><th>When (UTC)</th><th>What</th></tr>"
            f"</thead><tbody>\n{rows}</tbody></table>{more}</section>\n"
        )

    # --- facts ---

    def _facts(self) -> dict[str, str]:
        channel = self._channel
        what = channel.command or channel.what
        return {
            "began": f"{iso(self._about.started_at_us)[:19]}Z",
            **self._about.facts,
            "channel": f"{channel.number}, {what}",
        }

    def _player_facts(self) -> dict[str, Any]:
        opened_us = self._channel.opened_us
        return {
            "origin": opened_us // 1000,
            "started": (self._about.started_at_us + opened_us) // 1000,
            "duration": self._milliseconds(self._channel.closed_us or self._last_us),
        }

    def _command(self, found: FoundCommand) -> dict[str, Any]:
        return {
            "t": self._milliseconds(found.t_us),
            "text": shown(found.text),
            "confidence": found.confidence,
        } | ({"verdict": found.verdict} if found.verdict else {})

    def _milliseconds(self, t_us: int) -> int:
        return max(0, t_us - self._channel.opened_us) // 1000

    def _write_data(self, name: str, value: object) -> None:
        # "<" is written as an escape, so that no text can end the element that it stands in.
        said = json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")
        self._out.write(f'<script type="application/json" id="{name}">{said}</script>\n'.encode())


@dataclass(slots=True)
class _Texts:
    """What the terminal showed, in blocks that the page's search goes through."""

    out: BinaryIO
    weight: int = 0
    block: list[tuple[int, str]] | None = None

    def add(self, t_ms: int, text: str) -> None:
        if self.block is None:
            self.block = []
        self.block.append((t_ms, "\n".join(safe(line) for line in text.split("\n"))))
        self.weight += len(text)
        if self.weight >= _TEXT_BLOCK:
            self.finish()

    def finish(self) -> None:
        if self.block:
            packed = _deflated(json.dumps(self.block, separators=(",", ":")).encode())
            self.out.write(b'<script type="text/plain" class="text">' + packed + b"</script>\n")
        self.block, self.weight = None, 0


def _timed(columns: int, rows: int) -> LazyScreen[Screen]:
    return LazyScreen(open_screen(columns, rows))


def _asset(name: str) -> str:
    return resources.files("watchgate.recording.export").joinpath("assets", name).read_text("utf-8")


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _deflated(octets: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return base64.b64encode(packer.compress(octets) + packer.flush())


def _wall(about: Description, t_us: int) -> str:
    return iso(about.started_at_us + t_us)[:19].replace("T", " ")


def _time(happening: tuple[int, str]) -> int:
    return happening[0]
