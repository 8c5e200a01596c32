"""What prompts look like, whose they are, and what a command starts."""

from __future__ import annotations

import pytest

from watchgate.terminal.programs import (
    changes_prompt,
    multiplexes,
    started_by,
    starts_shell,
    takes_keys,
)
from watchgate.terminal.prompts import (
    Prompts,
    alike,
    continues,
    end_of_prompt,
    looks_like_one,
    program_of,
    searches,
)

PROMPTS = [
    *(
        "root@h:~# ",
        "fred@db-1:/var/log$ ",
        "[fred@db1 log]$ ",
        "(venv) fred@h:~$ ",
        "$ ",
        "# ",
        "% ",
    ),
    *(
        "bash-5.2# ",
        "sh-5.1$ ",
        "~ # ",
        "/usr $ ",
        "~/src ❯ ",
        "root@vm ~# ",
        "12:30:01 root@h ~ # ",
    ),
]


@pytest.mark.parametrize("prompt", PROMPTS)
def test_usual_prompts_look_like_prompts(prompt: str) -> None:
    assert looks_like_one(prompt)


@pytest.mark.parametrize(
    "text", ["", "Password: ", "loading 50%done", "total 48", "x" * 5000 + "$ ", "Continue? [Y/n] "]
)
def test_other_text_does_not(text: str) -> None:
    assert not looks_like_one(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("root@h:~# ", "root@h:/etc# "),
        ("12:00:01 ~ $ ", "12:00:59 ~ $ "),
        ("[3] fred % ", "[4] fred % "),
        ("fred@h:~$ ", "fred@h:~# "),
        ("fred@h ~/src (main) $ ", "fred@h ~/src (feature) $ "),
    ],
)
def test_a_prompt_is_known_again_when_it_changed_as_prompts_do(one: str, other: str) -> None:
    assert alike(one, other)
    assert alike(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [("root@h:~# ", ">>> "), ("$ ", "mysql> "), ("root@h:~# ", "Password: "), ("$ ", "")],
)
def test_other_prompts_are_not_taken_for_it(one: str, other: str) -> None:
    assert not alike(one, other)


@pytest.mark.parametrize(
    "text", ["> ", "for> ", "quote> ", "for then> ", "    ", "... ", "heredoc> "]
)
def test_continuations_are_known(text: str) -> None:
    assert continues(text)
    assert not continues(f"root@h:~# {text}")


@pytest.mark.parametrize(
    ("prompt", "started", "expected"),
    [
        (">>> ", "python3", ("python3", False)),
        ("... ", "python3", ("python3", True)),
        (">>> ", None, ("python", False)),
        ("... ", None, None),
        ("shop=# ", "psql", ("psql", False)),
        ("shop-# ", "psql", ("psql", True)),
        ("mysql> ", "mysql", ("mysql", False)),
        ("    -> ", "mysql", ("mysql", True)),
        ("MariaDB [shop]> ", None, ("mysql", False)),
        ("sqlite> ", "sqlite3", ("sqlite3", False)),
        ("   ...> ", "sqlite3", ("sqlite3", True)),
        ("In [12]: ", "ipython", ("ipython", False)),
        ("(gdb) ", None, ("gdb", False)),
        ("> ", "node", ("node", False)),
        ("> ", None, None),
        ("root@h:~# ", "python3", None),
    ],
)
def test_a_program_is_known_by_its_prompt(
    prompt: str, started: str | None, expected: tuple[str, bool] | None
) -> None:
    assert program_of(prompt, started) == expected


@pytest.mark.parametrize(
    "line",
    ["(reverse-i-search)`tou': touch", "(failed reverse-i-search)`x': ", "bck-i-search: to_"],
)
def test_a_search_in_the_history_is_no_prompt(line: str) -> None:
    assert searches(line)
    assert not searches("root@h:~# grep search: file")


def test_a_known_prompt_is_found_at_the_start_of_a_line() -> None:
    prompts = Prompts()
    prompts.learn("root@h:~# ")

    assert prompts.behind("root@h:~# ls", ()) == 10
    assert prompts.behind("root@h:/etc# ls", (13,)) == 13
    assert prompts.behind("total 48", (6,)) is None


def test_only_so_many_prompts_are_remembered() -> None:
    prompts = Prompts()
    for number in range(100):
        prompts.learn("p" * number + "# ")
    prompts.learn("x" * 10_000 + "$ ")

    assert not prompts.knows("# ")
    assert prompts.behind("p" * 99 + "# ls", ()) == 101
    assert not prompts.knows("x" * 10_000 + "$ ")


def test_a_usual_prompt_ends_where_the_command_begins() -> None:
    assert end_of_prompt("root@h:~# echo a # b") == 10
    assert end_of_prompt("[fred@db1 log]$ ls") == 16
    assert end_of_prompt("bash-5.2$ ls") == 10
    assert end_of_prompt("plain text # here") is None


@pytest.mark.parametrize(
    ("command", "program"),
    [
        ("vim -u NONE f", "vim"),
        ("/usr/bin/psql shop", "psql"),
        ("sudo -u postgres psql", "psql"),
        ("sudo -i", "su"),
        ("A=1 B=2 env nice -n 5 top", "top"),
        ("cd /srv && less log", "less"),
        ("cat x | less", "less"),
        ("PS1='n$ ' bash --norc -i", "bash"),
        ("", None),
        ("A=1", None),
    ],
)
def test_a_command_starts_the_last_program_that_it_names(command: str, program: str | None) -> None:
    assert started_by(command) == program


def test_what_programs_are_is_known() -> None:
    assert starts_shell("ssh", "ssh host")
    assert not starts_shell("cat", "cat x")
    assert takes_keys("vim")
    assert multiplexes("tmux")
    assert changes_prompt("PS1='> '")
    assert changes_prompt("cd /etc")
    assert not changes_prompt("ls")
