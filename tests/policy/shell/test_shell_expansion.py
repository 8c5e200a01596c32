"""Words: quotes, braces, variables, substitutions; and the same against a real bash."""

from __future__ import annotations

import subprocess

import pytest

from watchgate.policy.reading import ShellContext, SimpleCommand
from watchgate.policy.shell import read
from watchgate.policy.shell.braces import TooManyError, expanded, may_expand
from watchgate.policy.shell.fields import Building, has_glob, literal
from watchgate.policy.shell.nodes import Literal
from watchgate.policy.shell.parameters import changed
from watchgate.policy.shell.quoting import ansi, quoted
from watchgate.policy.shell.scope import Scope


def last(line: str, context: ShellContext | None = None) -> SimpleCommand:
    return read(line, context or ShellContext()).commands[-1]


def words(line: str) -> list[str]:
    return [word.text for word in last(line).words]


SAME_IN_BASH = [
    "'a b' \"c d\" e\\ f $'g\\th' $\"i\" \"\" ''",
    "\"a\\$b\\\"c\\\\d\\e\" 'f\\g' h\\'i",
    "{a,b}{1,2} x{1..3}y {c..a} {01..03} a{,b} {a} {a,b \\{a,b} '{a,b}' {a,{b,c}}d",
    '${x} $x ${x}y "$x"z a${y}b "$y" $y',
    "${x:1} ${x:1:2} ${x: -2} ${x#h} ${x##*l} ${x%o} ${x%%l*} ${x/l/L} ${x//l/L} ${x^} ${x^^} ${x,,}",
    '${x:-d} ${u-} ${x:+p} ${#x} "${x:-a b}" ${v//[lo]/_}',
    '${a[0]} ${a[1]} "${a[@]}" ${a[@]} "${a[*]}" ${#x}',
    "$(echo a b) \"$(echo a b)\" `echo c` x$(echo d)y $(printf '%s\\n' e f)",
    '$s "$s" x${s}y',
    'a\\\nb "c\\\nd"',
    "$'\\x41\\102\\u00e9\\'\\n'",
    '"${x}$(echo "${x} y")"',
    "${i} ${!n}",
]
SETTING = "x=hello; y=; s=' p  q '; a=(one 'two three'); n=x; i=5; v=hello; "


@pytest.mark.parametrize("line", [one for one in SAME_IN_BASH if "[lo]" not in one])
@pytest.mark.real
def test_words_expand_as_in_bash(line: str) -> None:
    script = f"{SETTING}printf '<%s>' {line}"
    printed = subprocess.run(
        ["bash", "-c", script],
        capture_output=True,
        check=True,
        env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},
    )
    expected = printed.stdout.decode()

    assert "".join(f"<{one}>" for one in words(f"{SETTING}printf {line}")) == expected


@pytest.mark.parametrize(
    ("line", "text", "known"),
    [
        ("rm $nothing", "$nothing", False),
        ("rm a${nothing}b", "a${nothing}b", False),
        ("rm $(cat f)", "$(cat f)", False),
        ("rm $((1+2))", "$((1+2))", False),
        ("rm !$", "!$", False),
        ("rm ~/a", "~/a", True),
        ("rm '~/a'", "~/a", True),
        ("x=1; if a; then x=2; fi; rm $x", "$x", False),
        ("x=1; a && x=2; rm $x", "$x", False),
        ("x=1; (x=2); rm $x", "1", True),
        ("x=1; x=2; rm $x", "2", True),
        ("x=1 a; rm $x", "$x", False),
        ("x=a; x+=b; rm $x", "ab", True),
        ("read x; rm $x", "$x", False),
        ("x=$(echo a) && rm $x", "a", True),
        ("rm ${nothing:-a}", "${nothing:-a}", False),
        ("rm 'a*'", "a*", True),
        ("while a; do rm $x; x=b; done", "$x", False),
        ("x=a; while b; do rm $x; x=c; done", "$x", False),
    ],
)
def test_what_is_known_of_a_word(line: str, text: str, known: bool) -> None:
    found = [c.words[0] for c in read(line).commands if c.program == "rm"]

    assert (found[-1].text, found[-1].known) == (text, known)


def test_a_glob_is_a_pattern_and_a_quoted_one_is_not() -> None:
    live, dead = last("rm a* 'a*'").words

    assert (live.text, live.pattern) == ("a*", True)
    assert (dead.text, dead.pattern) == ("a*", False)
    assert last("rm a* 'a*'").text == "rm a* 'a*'"


def test_a_quoted_star_beside_a_live_one_is_escaped() -> None:
    (word,) = last("rm 'a*'b*").words

    assert word.text == "a\\*b*"


def test_variables_of_the_session_are_known() -> None:
    context = ShellContext(variables={"D": "/etc", "A": "rm -rf"}, home="/root", cwd="/srv")

    assert last("ls $D/x ~/y $PWD", context).paths == ("/etc/x", "/root/y", "/srv")
    assert last("$A /", context).flags == {"recursive", "force"}


def test_a_loop_is_read_with_each_of_its_values() -> None:
    found = [command.paths for command in read("for d in etc 'a b'; do rm \"/$d\"; done").commands]

    assert found == [("/etc",), ("/a b",)]


def test_an_unknown_part_of_a_path_may_be_anything() -> None:
    assert last('rm /tmp/$x $y "$HOME"/z').paths == ("/tmp/**", "/**", "?/z")


def test_the_separators_of_words_follow_ifs() -> None:
    assert words("IFS=,; x=a,b; rm $x") == ["a", "b"]


def test_too_many_braces_are_not_expanded() -> None:
    (word,) = last("rm {1..99999999}").words

    assert not word.known
    with pytest.raises(TooManyError):
        expanded([Literal("{a,b}" * 10, False)])
    assert not may_expand([Literal("{a,b}", True)])


def test_a_value_changes_as_its_operator_says() -> None:
    assert changed("abcab", "##", ("*b",), pattern=True) == ""
    assert changed("abcab", "#", ("*b",), pattern=True) == "cab"
    assert changed("abc", "/%", ("c", "d"), pattern=False) == "abd"
    assert changed("abc", ":", ("x",), pattern=False) is None
    assert changed("a" * 5000, "%", ("*",), pattern=True) is None


def test_quotes_are_put_only_where_they_must_be() -> None:
    assert [quoted(one) for one in ("a-b/c", "a b", "", "*", "~", "a~", "it's")] == [
        *("a-b/c", "'a b'", "''", "'*'", "'~'", "a~"),
        "'it'\\''s'",
    ]
    assert ansi("\\x{41}\\cA\\q") == "A\x01\\q"


def test_a_field_in_the_making_keeps_what_is_known_apart() -> None:
    building = Building()
    building.add("a", quoted=False)
    building.unknown("$x")
    building.add("*", quoted=False)
    field = building.field("a$x*")

    assert (field.text, field.where, field.rest) == ("a$x*", "a***", "a*")
    assert not field.known
    assert has_glob("[a]")
    assert not has_glob("[")


def test_ways_that_meet_keep_what_holds_on_both() -> None:
    one, other = Scope("bash", None), Scope("bash", None)
    for scope in (one, other):
        scope.assign("same", (literal("a"),))
    one.assign("x", (literal("a"),))
    other.assign("x", (literal("b"),))
    other.cwds = ("/b",)
    one.merge(other)

    assert one.value("same") == (literal("a"),)
    assert one.value("x") is None
    assert one.cwds == (None, "/b")
