"""Where a command of a script ends: as the shells see it."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchgate.protocols.ssh.script_shape import Shape
from watchgate.protocols.ssh.script_words import CSH, DEVICE, FISH, Dialect

WHOLE = [
    "for i in 1 2\ndo\necho $i\ndone",
    "for i do\ncase $i in\na) { b; }\n;;\nesac\ndone",
    "for ((i=0;i<3;i++)); do\necho\ndone",
    "for i in 1; {\na\n}",
    "select x in a b; do\nbreak\ndone",
    "while a\ndo b\ndone < f",
    "until a; do\nb; done",
    "if true; then\nfoo\nfi",
    "if true; then if a; then b; fi\nfi",
    "if a\nthen b\nelif c; then d\nelse e; fi",
    "if [[ a &&\nb ]]; then\nc\nfi",
    "time if a; then\nb\nfi",
    "! if a; then\nb\nfi",
    "a;if b;then\nc\nfi",
    "case $x in\na) foo;;\n(b|c) bar ;;\nesac",
    "case $x\nin a) if b; then c; fi;; esac",
    "case x in @(a|b)) y;;\nesac",
    'case "$1" in start) a ;; *) b\n;;\nesac',
    "foo() {\na\n}",
    "foo()\n{\na\n}",
    "function foo\n{\na\n}",
    "function foo {\na\n}",
    "x() ( a\n)",
    "f() if a; then\nb; fi",
    "coproc X { a\n}",
    "echo 'a\nb'",
    "echo \"a $(b 'c\n') d\"",
    "echo $'a\\'\nb'",
    "echo ${x:-'a\n'}",
    "`a\n`",
    "cat <<EOF\nhello 'x\nEOF",
    "cat <<'E' <<-F\na\nE\nb\n\tF",
    "cat <<EOF \\\n-n\nx\nEOF",
    "cat <<EOF\nfoo\\\nEOF\nEOF",
    "cat <<E\\\nOF\nx\nEOF",
    "cat > f <<EOF && b\nx\nEOF",
    "x=$(cat <<E\na)\nE\n)",
    "cat <<<'a\n'",
    "a &&\nb",
    "a |\n\n# c\nb",
    "echo \\\nb",
    "i\\\nf true; then\nb\nfi",
    "echo $\\\n(a\n)",
    "echo $(foo\n)",
    "$(\ncase x in a) ;; esac\n)",
    "( a\nb )",
    "x=(1 # it's\n2)",
    "diff <(a\n) <(b)",
    "[ a ] && {\nb\n}",
    "[[ $x =~ ^(a|b)$ ]] || {\nq\n}",
    "((a; b) ; (c\n))",
]
SINGLE = [
    "echo if",
    "echo {",
    "a=1 if",
    "\\if a",
    "'if' a",
    "foo # it's",
    "echo a#b",
    "echo $((1<<2))",
    "(( a <<= 2 ))",
    "((a; b); c)",
    "$((echo a); (b))",
    "echo \"${x:-'a'}\"",
    "a{b,c}",
    "{a,b}",
    "{ a; b; }",
    "2>&1 a",
    "b >&2",
    "c &>x",
    "d &",
    "case $1 in esac",
    "fi",
    "}",
    "ls |& cat",
]

PARTS = [
    *("if", "fi", "case x in", "esac", "a)", ";;", "do", "done", "{", "}", "(", ")", "((", "))"),
    *("$(", "${", "'", '"', "`", "<<E", "E", "\\", "\n", "&&", "|", ";", "for", "in", "#", "é"),
    *("[[", "]]", "function", "$'", "x=(", "<(", "a", " ", "\t", "$((", "coproc", "<<"),
]


def cut(script: str, dialect: Dialect | None = None) -> list[str]:
    """The commands of *script*, and at last what is not complete."""
    shape = Shape(dialect) if dialect else Shape()
    commands: list[list[str]] = [[]]
    for line in script.split("\n"):
        commands[-1].append(line)
        if shape.line(line):
            commands.append([])
    return ["\n".join(lines) for lines in commands if lines]


@pytest.mark.parametrize("command", WHOLE)
def test_a_command_of_several_lines_ends_where_a_shell_ends_it(command: str) -> None:
    assert cut(f"{command}\nls\nid") == [command, "ls", "id"]


@pytest.mark.parametrize("command", SINGLE)
def test_a_line_that_is_a_command_waits_for_nothing(command: str) -> None:
    assert cut(f"{command}\nls") == [command, "ls"]


@pytest.mark.parametrize(
    ("script", "commands"),
    [
        ("if true\n echo 'it\\'s'\nelse if b\n c\nend\nls", 2),
        ("function x\n begin\n a\n end\nend\nls", 2),
        ("echo (ls\n)\nls", 2),
        ("echo `a\nls", 2),
        ("cat <<EOF\nls", 2),
    ],
)
def test_fish_has_its_own_words(script: str, commands: int) -> None:
    assert len(cut(script, FISH)) == commands


def test_a_line_of_a_device_is_a_command_whatever_it_says() -> None:
    assert cut("if 'x (\nshow \\\nend", DEVICE) == ["if 'x (", "show \\", "end"]
    assert cut("foreach x (a b)\necho \\\n b", CSH) == ["foreach x (a b)", "echo \\\n b"]


@pytest.mark.real
@pytest.mark.parametrize("command", [*WHOLE, *SINGLE])
def test_bash_agrees(command: str) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("bash is not installed")
    if command in ("fi", "}", "a=1 if", "coproc X { a\n}"):
        return  # bash refuses these, or names its coprocess only since 4.0
    done = subprocess.run(
        [bash, "-O", "extglob", "-n"],
        input=f"{command}\n".encode(),
        capture_output=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, b"")


@settings(deadline=None, max_examples=200)
@given(
    st.lists(
        st.sampled_from(PARTS),
        max_size=60,
    )
)
def test_nothing_that_is_given_to_it_raises(parts: list[str]) -> None:
    script = "".join(parts)

    assert "\n".join(cut(script)) == script


def test_where_shells_do_not_agree_it_says_so() -> None:
    shape = Shape()
    shape.line('echo "${x:-\'}"')

    assert shape.unsure


def test_a_hundred_thousand_lines_take_no_time_to_speak_of() -> None:
    shape = Shape()

    assert all(shape.line(f"echo {number}") for number in range(100_000))


def test_many_joined_lines_are_cut_in_time() -> None:
    shape = Shape()
    joined = [shape.line("a\\") for _ in range(30_000)]

    assert not any(joined)
    assert shape.line("b")
