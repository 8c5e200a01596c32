"""The parser: what a shell sees as one command, and what it sees as another."""

from __future__ import annotations

import subprocess

import pytest
from shell_lines import ORDINARY, REWRITES

from watchgate.policy.reading import Reason, ShellContext
from watchgate.policy.shell import read
from watchgate.policy.shell.fish import Fish
from watchgate.policy.shell.grammar import Grammar
from watchgate.policy.shell.lexing import Lexer
from watchgate.policy.shell.nodes import Chain, Group, Literal, Pipeline, Simple
from watchgate.policy.shell.simple_commands import SimpleCommands


def ran(line: str, dialect: str = "bash") -> list[str]:
    return [command.text for command in read(line, ShellContext(dialect=dialect)).commands]


@pytest.mark.parametrize(
    ("line", "commands"),
    [
        ("a; b & c && d || e | f |& g\nh", ["a", "b", "c", "d", "e", "f", "g", "h"]),
        ("! a; time b; time { c; }; coproc d", ["a", "time b", "b", "c", "coproc d", "d"]),
        ("if a; then b; elif c; then d; else e; fi", ["a", "b", "c", "d", "e"]),
        ("while a; do b; done; until c; do d; done", ["a", "b", "c", "d"]),
        ("for ((i=0; i<3; i++)); do a; done", ["a"]),
        ("for i; do a; done", ["a"]),
        ("for i in x\ndo a\ndone", ["a"]),
        ("case x in (a|b) c;; *) d;& e) f; esac", ["c", "d", "f"]),
        ("case x in a) b;; esac; c", ["b", "c"]),
        ("(a; b) | { c; }", ["a", "b", "c"]),
        ("a() { b; }; function c { d; }; function e() (f)", ["b", "d", "f"]),
        ("[[ -n $(a) && x =~ ^(b|c)$ ]] && d", ["a", "d"]),
        ("((x = 1 + $(a))) || b", ["a", "b"]),
        ("echo $(( $(a) + 1 )) $((b); (c))", ["a", "b", "c"]),
        ("echo `a \\`b\\``", ["b"]),
        ("x=$(a) y=`b` z=<(c) d", ["a", "b", "c", "d"]),
        ("a[$(b)]=1", ["b"]),
        ("x=(a $(b))", ["b"]),
        ('echo ${x:-$(a)} "${y/$(b)/c}"', ["a", "b"]),
        ("a <<A <<B; b\n$(c)\nA\n$(d)\nB\ne", ["c", "d", "a", "b", "e"]),
        ("a <<-E\n\tx\n\tE\nb", ["a", "b"]),
        ("cat <<A 2>&1 | b && c\nrm\nA\nd", ["cat", "b", "c", "d"]),
        ("$(cat <<E\nx\nE\n)", []),
        ("a \\\n b", ["a b"]),
        ("a # b; c\nd", ["a", "d"]),
        ("a#b c\\#d", ["a#b c#d"]),
        ("2>&1 a >&2 <&- 3<>f {x}>g &>>h", ["a"]),
        ("a<b>c", ["a"]),
    ],
)
def test_every_simple_command_of_a_line_is_found(line: str, commands: list[str]) -> None:
    found = ran(line)

    assert [text for text in commands if text not in found] == []


@pytest.mark.parametrize(
    "line",
    [
        *(
            "ls 'a",
            'ls "a',
            "ls `a",
            "ls $(a",
            "ls ${a",
            "ls (a)",
            ") ls",
            "ls; fi",
            "if ls",
            "{ ls",
        ),
        *(
            "for i in a; ls",
            "case x in a) ls",
            "ls |& && b",
            "ls <<E\nx",
            "ls >",
            "[[ a ; ls",
            "ls \\",
        ),
    ],
)
def test_what_does_not_parse_is_said_and_the_rest_is_read(line: str) -> None:
    reading = read(line)

    assert Reason.UNPARSED in {one.reason for one in reading.opaque}
    assert reading.raw == (line,)
    assert any(c.program == "ls" for c in reading.commands) or "[[" in line


@pytest.mark.parametrize(
    ("line", "commands"),
    [
        ("=rm x", ["rm x"]),
        ("ls *(.) **/*(/om[1,3])", ["ls * **/*"]),
        ("for x (a b) rm $x", ["rm a", "rm b"]),
        ("for x in a; { rm $x; }", ["rm a"]),
        ("noglob rm x; nocorrect rm y", ["noglob rm x", "rm x", "nocorrect rm y", "rm y"]),
        ("ls # ; rm x", ["ls '#'", "rm x"]),
        ("a=(rm x); $a[1] y; $a", ["rm y", "rm"]),
        ("echo a >! b; ls", ["echo a", "ls"]),
        ("echo rm | read x; $x y", ["rm y"]),
    ],
)
def test_zsh_is_read_where_it_differs(line: str, commands: list[str]) -> None:
    found = ran(line, "zsh")

    assert [text for text in commands if text not in found] == []


@pytest.mark.parametrize(
    ("line", "commands"),
    [
        ("a; and b; or c", ["a", "b", "c"]),
        ("not a; if b; c; else if d; e; else; f; end", ["a", "b", "c", "d", "e", "f"]),
        ("for i in 1 2; rm $i; end", ["rm 1", "rm 2"]),
        ("while a; b; end; begin; c; end", ["a", "b", "c"]),
        ("switch x; case a; b; case '*'; c; end", ["b", "c"]),
        ("function f; a; end; f", ["a", "f"]),
        ("rm (echo x)", ["echo x", "rm x"]),
        ('rm "$(echo x y)"', ["rm 'x y'"]),
        ("set x rm; $x y", ["rm y"]),
        ("set x a b; rm $x; rm $x[2]", ["rm a b", "rm b"]),
        ("echo 'it\\'s; rm x'; ls", ["ls"]),
        ("a && b || c | d &", ["a", "b", "c", "d"]),
        ("if test x; and rm y; ls; end", ["test x", "rm y", "ls"]),
    ],
)
def test_fish_is_read_by_its_own_grammar(line: str, commands: list[str]) -> None:
    reading = read(line, ShellContext(dialect="fish"))
    found = [command.text for command in reading.commands]

    assert [text for text in commands if text not in found] == []
    assert Reason.UNPARSED not in {one.reason for one in reading.opaque}


def test_quotes_of_fish_do_not_hide_a_command() -> None:
    assert "rm y" not in ran("echo 'a\\'; rm y'", "fish")
    assert "rm y" in ran("echo 'a\\'; rm y #'")


def test_the_tree_says_how_commands_are_joined() -> None:
    script = Grammar("a | b && { c; }", "bash").whole()
    ((chain, background),) = script.items

    assert not background
    assert isinstance(chain, Chain)
    assert isinstance(chain.first, Pipeline)
    assert [operator for operator, _ in chain.rest] == ["&&"]
    assert isinstance(chain.rest[0][1], Group)


def test_a_word_knows_what_of_it_is_quoted() -> None:
    ((command, _),) = SimpleCommandsOnly("a'b c'\\d").whole().items

    assert isinstance(command, Simple)
    assert command.words[0].parts == (
        Literal("a", False),
        Literal("b c", True),
        Literal("d", True),
    )


class SimpleCommandsOnly(Grammar):
    """A grammar of bash."""

    def __init__(self, text: str) -> None:
        super().__init__(text, "bash")
        assert isinstance(self, SimpleCommands | Lexer)


def test_a_grammar_of_fish_is_one_of_shells() -> None:
    assert issubclass(Fish, Grammar)


@pytest.mark.real
def test_bash_takes_the_lines_that_parse_here() -> None:
    for line in (*REWRITES, *ORDINARY):
        if "\0" in line:
            continue
        taken = subprocess.run(
            ["bash", "-n"], input=line.encode(), capture_output=True, check=False
        )
        damaged = any(one.reason is Reason.UNPARSED for one in read(line).opaque)

        assert (taken.returncode != 0) == damaged, (line, taken.stderr)
