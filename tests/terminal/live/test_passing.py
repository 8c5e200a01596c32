"""Shell lines that programs pass on."""

from __future__ import annotations

import pytest

from watchgate.terminal.live.passing import passed_on

FOUND = [
    ("vim", ":!touch HIT", "touch HIT"),
    ("vim", ":r !touch HIT", "touch HIT"),
    ("vim", ":w !sudo tee x", "sudo tee x"),
    ("vim", ":%!sort", "sort"),
    ("vim", ":1,$!sort", "sort"),
    ("vim", ":'<,'>!sh", "sh"),
    ("vim", ":.!touch HIT", "touch HIT"),
    ("vim", ":silent !rm x", "rm x"),
    ("vim", ":term rm x", "rm x"),
    ("vim", ":sh", "sh"),
    ("vim", ":call system('rm x')", "rm x"),
    ("vim", ":exe '!rm x'", "!rm x"),
    ("less", "!touch HIT", "touch HIT"),
    ("less", "|$touch HIT", "touch HIT"),
    ("man", "!rm x", "rm x"),
    ("psql", "\\! rm x", "rm x"),
    ("psql", "select 1 \\g |sh", "sh"),
    ("psql", "copy t to program 'rm x'", "rm x"),
    ("mysql", "\\! rm x", "rm x"),
    ("mysql", "system rm x;", "rm x"),
    ("sqlite3", ".shell touch HIT", "touch HIT"),
    ("sqlite3", ".system rm x", "rm x"),
    ("sqlite3", ".once |sh", "sh"),
    ("python3", "os.system('touch HIT')", "touch HIT"),
    ("python3", "subprocess.run(['touch', 'HIT'])", "touch HIT"),
    ("ipython", "!rm x", "rm x"),
    ("ipython", "a = !rm x", "rm x"),
    ("node", "require('child_process').execSync(\"rm x\")", "rm x"),
    ("irb", "`rm x`", "rm x"),
    ("gdb", "shell rm x", "rm x"),
    ("sftp", "!rm x", "rm x"),
    ("ed", "!rm x", "rm x"),
    ("nano", "Command to execute: |rm x", "rm x"),
]


@pytest.mark.parametrize(("program", "line", "command"), FOUND)
def test_a_shell_line_is_found_in_a_programs_line(program: str, line: str, command: str) -> None:
    assert command in passed_on(program, line)


@pytest.mark.parametrize(
    ("program", "line"),
    [
        ("vim", ":wq"),
        ("vim", ":s/a!/b/"),
        ("vim", ":q!"),
        ("vim", ":e! x"),
        ("less", "/touch HIT"),
        ("psql", "select 'touch HIT';"),
        ("mysql", "select 1;"),
        ("sqlite3", "select '.shell x';"),
        ("python3", "x = 'touch HIT'"),
        ("cat", "touch HIT"),
    ],
)
def test_a_programs_own_line_is_none(program: str, line: str) -> None:
    assert passed_on(program, line) == ()
