"""Pictures of a screen: what a player that follows the changes comes to see."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from watchgate.recording.export.pictures import LEAST_BETWEEN_US, Chunk, Pictures
from watchgate.terminal.screen import Screen
from watchgate.terminal.screens import open_screen

COLUMNS, ROWS = 20, 4


class Timed:
    """A screen that is fed at once, whatever the time."""

    def __init__(self, columns: int, rows: int) -> None:
        self.screen: Screen = open_screen(columns, rows)

    def feed_at(self, t_us: int, octets: bytes) -> None:
        self.screen.feed(octets)


def played(chunks: list[Chunk]) -> list[tuple[int, list[str]]]:
    """Each picture's moment in milliseconds, and the text of its rows."""
    seen = []
    for chunk in chunks:
        said: dict[str, Any] = json.loads(chunk.to_json())
        rows, at_ms = list(said["rows"]), said["t"]
        seen.append((at_ms, [text_of(row) for row in rows]))
        for later, changed, _ in said["changes"]:
            at_ms += later
            for number, row in changed:
                rows[number] = row
            seen.append((at_ms, [text_of(row) for row in rows]))
    return seen


def text_of(row: list[Any]) -> str:
    return "".join(row[0::3])


def test_a_burst_is_its_first_and_its_last_picture() -> None:
    pictures = Pictures(Timed, COLUMNS, ROWS)
    chunks = [
        *pictures.output(0, b"$ "),
        *pictures.output(1_000_000, b"l"),
        *pictures.output(1_010_000, b"s\r\n"),
        *pictures.output(1_020_000, b"bin\r\n"),
        *pictures.output(5_000_000, b"$ "),
        *pictures.finish(),
    ]

    assert played(chunks) == [
        (0, ["$", "", "", ""]),
        (1000, ["$ l", "", "", ""]),
        (1020, ["$ ls", "bin", "", ""]),
        (5000, ["$ ls", "bin", "$", ""]),
    ]


def test_a_new_size_begins_a_chunk_of_its_own() -> None:
    pictures = Pictures(Timed, COLUMNS, ROWS)
    chunks = [*pictures.output(0, b"one"), *pictures.resized(2_000_000, 10, 2), *pictures.finish()]

    assert [chunk.size for chunk in chunks] == [(COLUMNS, ROWS), (10, 2)]


def test_colors_and_wide_characters_keep_their_columns() -> None:
    pictures = Pictures(Timed, COLUMNS, ROWS)
    chunks = [*pictures.output(0, b"\x1b[1;31mA\x1b[0m\xe4\xb8\xad."), *pictures.finish()]
    said = json.loads(chunks[0].to_json())

    assert said["rows"][0] == ["A", 1, 1, "中.", 3, 0]
    assert said["styles"][1] == {"foreground": 1, "bold": True}
    assert said["cursor"] == [4, 0, 1]


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 200_000), st.sampled_from([b"a", b"\r\n", b"\x1b[2J", b"\x1b[H"])),
        max_size=60,
    )
)
def test_the_last_picture_is_the_last_screen(pieces: list[tuple[int, bytes]]) -> None:
    pictures, whole = Pictures(Timed, COLUMNS, ROWS), open_screen(COLUMNS, ROWS)
    chunks: list[Chunk] = []
    t_us = 0
    for later, octets in pieces:
        t_us += later
        chunks += pictures.output(t_us, octets)
        whole.feed(octets)
    chunks += pictures.finish()
    seen = played(chunks)

    assert not pieces or seen[-1][1] == [line.text.rstrip() for line in whole.lines()]
    assert [at for at, _ in seen] == sorted(at for at, _ in seen)


def test_a_flood_is_not_more_pictures_than_eyes_take() -> None:
    pictures = Pictures(Timed, COLUMNS, ROWS)
    chunks = [
        chunk for n in range(10_000) for chunk in pictures.output(n * 200, f"line {n}\r\n".encode())
    ]
    chunks += pictures.finish()

    assert len(played(chunks)) <= 2_000_000 // LEAST_BETWEEN_US + 2
