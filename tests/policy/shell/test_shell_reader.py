"""Whole lines: what must be found, what must not be, what is bounded; and that nothing is ever raised."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shell_lines import ORDINARY, REWRITES

from watchgate.policy.reading import Reading, Reason, ShellContext
from watchgate.policy.shell import read
from watchgate.policy.shell.limits import MOST_COMMANDS
from watchgate.policy.shell.paths import path_may_match
from watchgate.policy.shell.quoting import quoted

HOME = ShellContext(cwd="/home/bob", home="/home/bob")


def destroys(reading: Reading) -> bool:
    """A recursive rm of the root directory, or of all that is in it."""
    return any(
        command.program == "rm"
        and "recursive" in command.flags
        and any(path == "/*" or path_may_match(path, "/") for path in command.paths)
        for command in reading.commands
    )


def test_there_are_enough_lines() -> None:
    assert len(set(REWRITES)) >= 150
    assert len(set(ORDINARY)) >= 80


@pytest.mark.parametrize("line", REWRITES)
def test_a_rewritten_command_is_found(line: str) -> None:
    assert destroys(read(line, HOME))


@pytest.mark.parametrize("line", ORDINARY)
def test_an_ordinary_line_is_neither_taken_for_another_nor_opaque(line: str) -> None:
    reading = read(line, HOME)

    assert not destroys(reading)
    assert reading.opaque == ()
    assert reading.commands


def test_what_is_only_mentioned_is_not_run() -> None:
    for line in (
        "echo ok # rm -rf /",
        "cat > f <<EOF\nrm -rf /\nEOF",
        "cat > f <<'EOF'\n$(rm -rf /)\nEOF",
        "git commit -m 'drop rm -rf /'",
        "grep -rn 'rm -rf /' .",
        "printf '%s' \"rm -rf /\"",
    ):
        assert not destroys(read(line, HOME)), line


def test_a_line_that_does_not_parse_gives_what_stands_in_it_and_itself() -> None:
    reading = read('ls; rm -rf / "')

    assert [command.program for command in reading.commands] == ["ls", "rm"]
    assert [one.reason for one in reading.opaque] == [Reason.UNPARSED]
    assert reading.raw == ('ls; rm -rf / "',)


def test_a_line_that_parses_has_no_raw_text() -> None:
    assert read("rm -rf /").raw == ()


@pytest.mark.parametrize(
    "line",
    [
        *("a" * 300_000, "a;" * 150_000, "a " * 150_000, "(" * 300_000, "$(" * 150_000),
        *("`" * 300_000, "$((" * 100_000, "${" * 100_000, "<<E " * 50_000, "> a" * 50_000),
        *("$x" * 100_000, "@(" * 100_000, "sudo " * 50_000, "eval " * 50_000, "if " * 50_000),
        *("{a," * 50_000, "[[ " * 50_000, "x=(" * 50_000, "while :; do " * 100),
        "x=a;" + "x=$x$x;" * 40 + "$x",
        'x=\'eval "$x$x"\'; eval "$x"',
        "f(){ g; g; }; g(){ f; f; }; f",
        "for a in {1..30};do for b in {1..30};do for c in {1..30};do rm $a$b$c;done;done;done",
        "echo " + "x" * 60_000 + "|rev" * 500 + "|sh",
        "".join(f"alias a{i}='a{i + 1} a{i + 1}; a{i + 1}'\n" for i in range(30)) + "a0",
        "python -c '" + 'system("' * 50_000 + "'",
    ],
    ids=lambda line: line[:16],
)
def test_a_hostile_line_costs_little_and_is_said_to_be_deep(line: str) -> None:
    before = time.thread_time()
    reading = read(line)
    spent = time.thread_time() - before

    assert spent < 2
    assert len(reading.commands) <= MOST_COMMANDS
    assert reading.opaque or "f(){" in line or "echo" in line


def test_a_command_with_too_many_words_is_named_still() -> None:
    reading = read("rm -rf / " + "a " * 50_000)

    assert destroys(reading)
    assert Reason.DEEP in {one.reason for one in reading.opaque}


@pytest.mark.parametrize("line", ["r\0m -rf /", "rm -rf / \udcff", "\ud800; rm -rf /"])
def test_octets_that_are_no_text_are_said_and_read_around(line: str) -> None:
    reading = read(line)

    assert destroys(reading)
    assert Reason.BINARY in {one.reason for one in reading.opaque}
    assert reading.raw == (line,)


LETTERS = "rm -f/$(){}[]<>|&;`'\"\\#!*?~=.,\n\tx12@%^+:cdofitesaulhn\0é\udc80"
SHELL_TEXT = st.lists(
    st.one_of(
        st.sampled_from(REWRITES + ORDINARY),
        st.text(alphabet=LETTERS, max_size=24),
        st.sampled_from(
            ["$(", ")", "<<E\n", "\nE\n", "${x:-", "}", "`", "'", '"', "; do ", "done"]
        ),
    ),
    max_size=6,
).map("".join)


@given(line=SHELL_TEXT, dialect=st.sampled_from(["bash", "zsh", "fish", "sh", "tcsh"]))
@settings(max_examples=300, deadline=None)
def test_nothing_is_raised_and_the_same_line_reads_the_same(line: str, dialect: str) -> None:
    context = ShellContext(dialect=dialect, home="/home/bob", aliases={"x": "rm x ", "l": "ls; l"})

    assert read(line, context) == read(line, context)


@given(line=st.text(max_size=200))
@settings(max_examples=200, deadline=None)
def test_any_text_is_read(line: str) -> None:
    assert read(line).line == line


WORD = st.text(alphabet="abc /*$'\"\\!{},~#é=", min_size=1, max_size=12)


def in_single_quotes(word: str) -> str:
    return "'" + word.replace("'", "'\\''") + "'"


def behind_backslashes(word: str) -> str:
    return "".join("\\" + character for character in word)


def in_double_quotes(word: str) -> str:
    return '"' + "".join("\\" + c if c in '$`"\\' else c for c in word) + '"'


def in_ansi_quotes(word: str) -> str:
    return "$'" + "".join(f"\\u{ord(c):04x}" for c in word) + "'"


@given(words=st.lists(WORD, min_size=1, max_size=4))
@settings(max_examples=200, deadline=None)
def test_how_a_word_is_quoted_changes_nothing(words: list[str]) -> None:
    forms = (in_single_quotes, behind_backslashes, in_double_quotes, in_ansi_quotes, quoted)
    facts = set()
    for form in forms:
        (command,) = read("rm " + " ".join(map(form, words))).commands
        facts.add(
            (command.text, command.paths, command.flags, tuple(w.text for w in command.words))
        )

    assert len(facts) == 1
    assert [list(fact[3]) for fact in facts] == [words]
