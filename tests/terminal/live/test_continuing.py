"""Whether a shell asks for more after a line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchgate.terminal.live.continuing import Open, goes_on


@pytest.mark.parametrize(
    "text",
    [
        "ls -l",
        "echo 'a b' \"c\"",
        "for i in 1 2; do echo $i; done",
        "for i in 1 2; do\necho $i\ndone",
        "if true; then echo; elif false; then x; else y; fi",
        "case x in a) echo;; b) ls;; esac",
        "f() { echo; }",
        "(cd /tmp; ls)",
        "cat <<EOF\nif while for\nEOF",
        "cat <<-'EOF'\n\ttouch x\n\tEOF",
        "cat <<< for",
        "echo for while if",
        "echo done",
        "echo ok # if",
        "echo \\'",
        "echo $'it\\'s'",
        "begin; echo; end",
        "tou\\\nch x",
        "echo {a,b}",
        "[ -f x ] && echo || true",
    ],
)
def test_a_complete_command_asks_for_nothing(text: str) -> None:
    assert goes_on(text) is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("for i in 1 2; do", Open.BLOCK),
        ("for i in 1 2; do\ntouch x", Open.BLOCK),
        ("while true", Open.BLOCK),
        ("if true; then", Open.BLOCK),
        ("f() {", Open.BLOCK),
        ("(cd /tmp", Open.BLOCK),
        ("echo 'a", Open.QUOTE),
        ('echo "a', Open.QUOTE),
        ("echo $'a", Open.QUOTE),
        ("tou\\", Open.BACKSLASH),
        ("cat > f <<EOF", Open.HEREDOC),
        ("cat > f <<EOF\ntouch HIT", Open.HEREDOC),
        ("cat <<'A' <<B\nx\nA\ny", Open.HEREDOC),
        ("ls |", Open.PIPE),
        ("true &&", Open.PIPE),
    ],
)
def test_an_incomplete_command_says_why(text: str, why: Open) -> None:
    assert goes_on(text) is why


@given(st.text(alphabet="ifdone \\'\"$<|&;(){}\nEOF#", max_size=200))
def test_any_text_is_looked_at(text: str) -> None:
    assert goes_on(text) in (None, *Open)
