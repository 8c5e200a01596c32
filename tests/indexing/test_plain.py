"""Output without a terminal: its beginning, its end, and only what is text."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from indexing_world import ERROR, OUTPUT

from watchgate.indexing.plain import PIECE, READ, SPAN_US, PlainOutput
from watchgate.session.ports import RecordKind


def read(*chunks: tuple[int, RecordKind, bytes], end_us: int = 99) -> list[tuple[int, str]]:
    output = PlainOutput()
    found = [piece for chunk in chunks for piece in output.feed(*chunk)]
    return found + list(output.close(end_us))


def test_short_output_is_one_text_with_the_time_of_its_first_line() -> None:
    assert read((5, OUTPUT, b"one\ntw"), (7, OUTPUT, b"o\n")) == [(5, "one\ntwo")]


def test_a_last_line_without_an_end_is_read_too() -> None:
    assert read((5, OUTPUT, b"web1"), end_us=9) == [(9, "web1")]


def test_output_and_errors_do_not_run_into_one_line() -> None:
    assert read((1, OUTPUT, b"half"), (2, ERROR, b"oops\n"), (3, OUTPUT, b" whole\n")) == [
        (2, "oops\nhalf whole")
    ]


def test_colors_and_other_sequences_are_no_text() -> None:
    assert read((1, OUTPUT, b"\x1b[01;34mbin\x1b[0m\n\x1b]0;title\x07")) == [(1, "bin")]


def test_names_that_end_in_nul_are_lines() -> None:
    assert read((1, OUTPUT, b"/a\0/b\0")) == [(1, "/a\n/b")]


def test_an_archive_is_no_text() -> None:
    archive = bytes(range(128, 256)) * 40 + b"\n"

    assert read((1, OUTPUT, archive + b"readable\n" + archive)) == [(1, "readable")]


def test_long_output_is_read_at_both_ends_with_a_note_between() -> None:
    lines = [b"line %07d\n" % number for number in range(100_000)]
    found = read(*((number, OUTPUT, line) for number, line in enumerate(lines)), end_us=100_000)
    texts = "\n".join(text for _, text in found).split("\n")

    assert texts[0] == "line 0000000"
    assert texts[-1] == "line 0099999"
    assert "[... 0.9 MB not read ...]" in texts
    assert sum(map(len, texts)) <= 2 * READ + 100
    assert max(len(text) for _, text in found) <= PIECE
    assert [at for at, _ in found] == sorted(at for at, _ in found)


def test_a_line_of_megabytes_is_bounded() -> None:
    found = read((1, OUTPUT, b"x" * 5_000_000))

    assert sum(len(text) for _, text in found) <= 2 * READ + 200
    assert max(len(text) for _, text in found) <= PIECE


def test_lines_long_apart_are_texts_of_their_own() -> None:
    found = read(
        (1, OUTPUT, b"one\n"), (SPAN_US, OUTPUT, b"two\n"), (SPAN_US + 2, OUTPUT, b"three\n")
    )

    assert found == [(1, "one\ntwo"), (SPAN_US + 2, "three")]


def test_what_a_quiet_program_printed_is_given_without_its_end() -> None:
    output = PlainOutput()
    before = [*output.feed(1, OUTPUT, b"listening\n"), *output.rest(SPAN_US)]
    due_us = output.due_us
    after = list(output.rest(due_us or 0))

    assert before == []
    assert (due_us, after) == (SPAN_US + 2, [(1, "listening")])
    assert output.due_us is None
    assert list(output.close(9 * SPAN_US)) == []


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([0, 1, SPAN_US // 2, SPAN_US, SPAN_US + 1]),
            st.sampled_from([OUTPUT, ERROR]),
            st.sampled_from([b"a line\n", b"half", b"\n", b"x" * 3000 + b"\n", b"line\n" * 30_000]),
        ),
        max_size=20,
    )
)
def test_resting_changes_no_text(printed: list[tuple[int, RecordKind, bytes]]) -> None:
    steady, resting = PlainOutput(), PlainOutput()
    found: list[tuple[int, str]] = []
    rested: list[tuple[int, str]] = []
    t_us = 0
    for gap_us, kind, data in printed:
        rested += [*resting.rest(t_us + gap_us // 2), *resting.rest(t_us + gap_us)]
        t_us += gap_us
        found += steady.feed(t_us, kind, data)
        rested += resting.feed(t_us, kind, data)

    assert rested + list(resting.close(t_us)) == found + list(steady.close(t_us))


@given(st.lists(st.tuples(st.sampled_from([OUTPUT, ERROR]), st.binary(max_size=300)), max_size=20))
def test_whatever_is_printed_becomes_printable_text_of_a_bounded_length(
    printed: list[tuple[RecordKind, bytes]],
) -> None:
    found = read(*((number, kind, data) for number, (kind, data) in enumerate(printed)))

    for _, text in found:
        assert 0 < len(text) <= PIECE
        assert all(line.isprintable() or not line.isascii() for line in text.split("\n"))
