"""Words as shells quote them."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from watchgate.terminal.integration.shell_words import UnquotableError, percent_words, shell_words


@pytest.mark.parametrize(
    ("quoted", "words"),
    [
        (b"", []),
        (b"a", [b"a"]),
        (b" a  b ", [b"a", b"b"]),
        (b"''", [b""]),
        (b"'' a ''", [b"", b"a", b""]),
        (rb"a\ b\;c", [b"a b;c"]),
        (rb"\'", [b"'"]),
        (b"$'a\\nb\\tc\\a\\E\\e\\\\\\''", [b"a\nb\tc\a\x1b\x1b\\'"]),
        (rb"$'\303\251\x41\101'", [b"\xc3\xa9AA"]),
        (rb"$'\u20ac\U0001F600'", ["€😀".encode()]),
        (rb"$'\cA\q'", [b"\x01q"]),
        (b"'a b'c$'d'", [b"a bcd"]),
        (rb"$'\ud800\UFFFFFFFF'", ["\ufffd\ufffd".encode()]),
        (rb"$'\777'", [b"\xff"]),
    ],
)
def test_words_are_what_the_shell_was_given(quoted: bytes, words: list[bytes]) -> None:
    assert list(shell_words(quoted)) == words


@pytest.mark.parametrize("quoted", [b"'", b"$'a", b"a\\", b"\n", b"a\tb", b"'a\\'"])
def test_what_no_shell_writes_is_refused(quoted: bytes) -> None:
    with pytest.raises(UnquotableError):
        list(shell_words(quoted))


@pytest.mark.parametrize(
    ("quoted", "words"),
    [
        (b"", []),
        (b"a%20b c", [b"a b", b"c"]),
        (b"%C3%A9%00", [b"\xc3\xa9\x00"]),
        (b"%zz%", [b"%zz%"]),
    ],
)
def test_percents_are_undone(quoted: bytes, words: list[bytes]) -> None:
    assert list(percent_words(quoted)) == words


@given(st.binary(max_size=200))
def test_any_octets_end(octets: bytes) -> None:
    try:
        words = list(shell_words(octets))
    except UnquotableError:
        return

    assert sum(map(len, words)) <= 4 * len(octets)


TEXT = st.binary(min_size=0, max_size=60).map(lambda octets: octets.replace(b"\0", b"\1"))


@pytest.mark.real
@settings(max_examples=25, deadline=None)
@given(st.lists(TEXT, min_size=1, max_size=8))
@example([b"a'b", b"\\", b"\n", b"\xff\xc3", b"~", b"{a,b}", b"", "ü€😀\u200b\x9c".encode()])
@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_what_bash_quotes_is_read_back(locale: str, words: list[bytes]) -> None:
    script = 'for word; do printf " %q" "$word"; done'
    run = subprocess.run(
        ["bash", "-c", script, "bash", *words],
        env={"LC_ALL": locale},
        capture_output=True,
        check=True,
    )

    assert list(shell_words(run.stdout)) == words


@pytest.mark.real
@settings(max_examples=25, deadline=None)
@given(st.lists(TEXT, min_size=1, max_size=8))
@example([b"a'b", b"\\", b"\n", b"\xff\xc3", b"~", b"{a,b}", b"", "ü€😀\u200b\x9c".encode()])
def test_what_zsh_quotes_is_read_back(words: list[bytes]) -> None:
    if shutil.which("zsh") is None:
        pytest.skip("there is no zsh")
    script = "setopt nomultibyte; LC_ALL=C; print -rn -- ${(j: :)${(@qqqq)@}}"
    run = subprocess.run(
        ["zsh", "-f", "-c", script, "zsh", *words], capture_output=True, check=True
    )

    assert list(shell_words(run.stdout)) == words
