"""asciicast, read back and by asciinema itself."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from export_tapes import Tape, exported, with_terminal
from hypothesis import given
from hypothesis import strategies as st

needs_asciinema = [
    pytest.mark.real,
    pytest.mark.skipif(shutil.which("asciinema") is None, reason="asciinema is not installed"),
]


def lines(cast: bytes) -> list[Any]:
    return [json.loads(line) for line in cast.decode("utf-8").splitlines()]


def session() -> Tape:
    tape = Tape().shell(1000).out(1500, b"$ ").typed(2000, b"l\xc3").typed(2001, b"\xa4")
    tape.out(2002, b"l\xc3").out(2003, b"\xa4\xff").resized(3000, b"120x40")
    return tape.out(3500, b"other", channel=2).closed(4250, 3)


def test_v2_has_absolute_times_from_the_opening_of_the_channel() -> None:
    (cast,) = exported("asciicast2", session())

    assert lines(cast) == [
        {
            "version": 2,
            "width": 100,
            "height": 30,
            "timestamp": 1_795_253_401,
            "title": "alice as root on web1",
            "env": {"TERM": "xterm-256color"},
        },
        [0.5, "o", "$ "],
        [1.0, "i", "l"],
        [1.001, "i", "ä"],
        [1.002, "o", "l"],
        [1.003, "o", "ä\ufffd"],
        [2.0, "r", "120x40"],
    ]


def test_v3_has_relative_times_and_the_exit_status() -> None:
    (cast,) = exported("asciicast3", session(), with_input=False)

    assert lines(cast) == [
        {
            "version": 3,
            "term": {"cols": 100, "rows": 30, "type": "xterm-256color"},
            "timestamp": 1_795_253_401,
            "title": "alice as root on web1",
        },
        [0.5, "o", "$ "],
        [0.502, "o", "l"],
        [0.001, "o", "ä\ufffd"],
        [0.997, "r", "120x40"],
        [1.25, "x", "3"],
    ]


def test_a_command_is_a_marker_and_its_newlines_return_the_carriage() -> None:
    tape = Tape().exec(0, "printf 'a\\n' \udcff").out(1, b"a\nb\r").out(2, b"\nc").err(3, b"e\n")
    (cast,) = exported("asciicast3", tape.closed(5, None, "KILL"))
    header, *events = lines(cast)

    assert header["command"] == "printf 'a\\n' \ufffd"
    assert events == [
        [0.0, "m", "printf 'a\\n' \ufffd"],
        [0.001, "o", "a\r\nb\r"],
        [0.001, "o", "\nc"],
        [0.001, "o", "e\r\n"],
        [0.002, "x", "137"],
    ]


def test_a_character_that_never_ends_is_replaced_at_the_end() -> None:
    (cast,) = exported("asciicast2", Tape().shell(0).out(7, b"\xe2\x82"))

    assert lines(cast)[1:] == [[0.007, "o", "\ufffd"]]


@given(st.lists(st.tuples(st.integers(0, 5000), st.binary(max_size=9)), max_size=12))
def test_the_text_is_that_of_all_octets_together(steps: list[tuple[int, bytes]]) -> None:
    tape = Tape().shell(0)
    at = 0
    for step, data in steps:
        at += step
        tape.out(at, data)
    whole = b"".join(data for _, data in steps)
    for name in ("asciicast2", "asciicast3"):
        (cast,) = exported(name, tape)
        # Lines are cut at \n alone: JSON leaves U+2028 and its like as they are.
        events = [json.loads(line) for line in cast.decode().split("\n")[1:-1]]

        assert "".join(text for _, _, text in events) == whole.decode("utf-8", "replace")


@pytest.mark.parametrize("mark", ["cat", "play"])
@pytest.mark.real
@pytest.mark.skipif(shutil.which("asciinema") is None, reason="asciinema is not installed")
def test_asciinema_plays_it(mark: str, tmp_path: Path) -> None:
    file = tmp_path / "session.cast"
    (cast,) = exported("asciicast2", session().out(4300, b"\x1b[1mend\x1b[0m\x00\r\n"))
    file.write_bytes(cast)
    options = ["-s", "1000"] if mark == "play" else []
    output = with_terminal(["asciinema", mark, *options, str(file)])

    assert output.replace(b"\r\r\n", b"\r\n").startswith(
        "$ lä\ufffd\x1b[1mend\x1b[0m\x00\r\n".encode()
    )
