"""What hooks in real shells tell, and what they leave as it was."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from shell_seat import NONCE, PROMPT, Seat, bash, environment, hits_denied, seat

from watchgate.terminal.integration.mark_kinds import CUT, NO_TEXT, UNKNOWN_TEXT, Prompt
from watchgate.terminal.integration.verdicts import accept_prefix

pytestmark = pytest.mark.real

SHELLS = ("bash", "bash_old", "zsh", "fish")
POSIX = ("bash", "bash_old", "zsh")
BASHES = ("bash", "bash_old")

Sit = Callable[..., Seat]


@pytest.fixture
def sit(tmp_path: Path) -> Iterator[Sit]:
    """A seat with hooks, left at the end."""
    seats: list[Seat] = []

    def at(shell: str, rc: str = "", *, wait_s: int = 30) -> Seat:
        if shutil.which(shell.removesuffix("_old")) is None:
            pytest.skip(f"there is no {shell}")
        one = seat(shell, tmp_path, rc, permits=hits_denied)
        seats.append(one)
        step = one.install(old=shell.endswith("_old"), wait_s=wait_s)
        assert step.installed, step
        return one

    yield at
    for one in seats:
        one.leave()


@pytest.mark.parametrize("shell", SHELLS)
def test_a_line_is_told_with_its_place_and_its_status_follows(
    sit: Sit, tmp_path: Path, shell: str
) -> None:
    one = sit(shell)

    shown = one.run("echo hello")
    one.run("cd /")
    one.run("sh -c 'exit 7'")

    assert "hello\r\n" in shown
    assert [line.text for line in one.lines] == ["echo hello", "cd /", "sh -c 'exit 7'"]
    assert [line.cwd for line in one.lines] == [str(tmp_path), str(tmp_path), "/"]
    assert all(line.unreadable is None for line in one.lines)
    assert one.prompts[-1] == Prompt(7, "/")
    assert one.taken == 3


@pytest.mark.parametrize("shell", SHELLS)
def test_the_text_is_exact(sit: Sit, shell: str) -> None:
    texts = [
        "echo 'a  b' \"c\td\" \\$x",
        "echo ü€😀 '$(x)' \"`true`\"",
        "echo a;echo b && true | cat",
        "echo '\\'  ''",
        "echo '%s;[7717;x' 'B' ツ Кириллица",
    ]
    one = sit(shell)
    if shell == "fish":
        texts = [
            text.replace("\t", " ").replace("'\\'", "'\\\\'").replace("`", "") for text in texts
        ]

    for text in texts:
        one.run(text.replace("\t", "\x16\t"))

    assert [line.text for line in one.lines] == texts
    assert all(line.unreadable is None for line in one.lines)


@pytest.mark.parametrize("shell", ["bash", "bash_old", "zsh"])
def test_a_command_of_several_lines_is_told_as_one(sit: Sit, shell: str) -> None:
    one = sit(shell)

    for typed in (b"cat <<E\r", b"in the document\r", b"E\r"):
        prompts = len(one.prompts)
        one.type(typed)
        one.until_prompts(prompts + 1)

    assert [line.text for line in one.lines] == ["cat <<E\nin the document\nE"]
    assert [prompt.continuation for prompt in one.prompts] == [True, True, False]


@pytest.mark.parametrize("shell", BASHES)
def test_a_comment_in_a_loop_hides_nothing(sit: Sit, shell: str) -> None:
    one = sit(shell)

    one.type(b"for i in 1; do # harmless\rtouch HIT\rdone\r")
    one.until(lambda: one.stood > 0)

    assert "touch HIT" in one.lines[0].text.split("#")[1].split("\n")[1]


@pytest.mark.parametrize("shell", SHELLS)
def test_type_ahead_keeps_its_order(sit: Sit, shell: str) -> None:
    one = sit(shell)
    lines = [f"echo line{n}" for n in range(20)]

    one.type("".join(f"{line}\r" for line in lines).encode())
    one.until(lambda: one.stood >= 20 and one.quiet())

    assert [line.text for line in one.lines] == lines
    seen = bytes(one.seen)
    places = [seen.rindex(b"line%d\r\n" % n) for n in range(20)]
    assert places == sorted(places)


@pytest.mark.parametrize("shell", POSIX)
def test_lines_that_are_accepted_together_are_told_before_the_first_runs(
    sit: Sit, shell: str
) -> None:
    one = sit(shell)

    one.type(b"\x1b[200~echo first\necho second\x1b[201~\r")
    one.until(lambda: one.stood > 0 and b"second\r\n" in bytes(one.seen)[-300:])
    one.type(b"\x1b[200~echo third\ntouch HIT\x1b[201~\r")
    one.until(lambda: one.stood > 1)
    one.run("echo last")

    texts = [line.text for line in one.lines]
    assert "\n".join(texts).startswith("echo first\necho second\n")
    assert not (one.home / "HIT").exists()
    assert texts[-1] == "echo last"


@pytest.mark.parametrize("shell", SHELLS)
def test_a_half_typed_line_survives_the_verdict_before_it(sit: Sit, shell: str) -> None:
    one = sit(shell)

    one.type(b"sleep 0.05\recho half")
    one.until(lambda: one.stood > 0)
    one.settle(0.1)
    one.type(b"way\r")
    one.until(lambda: one.stood > 1)

    assert [line.text for line in one.lines] == ["sleep 0.05", "echo halfway"]


@pytest.mark.parametrize("shell", SHELLS)
def test_what_the_shell_knows_of_the_words_is_told(sit: Sit, shell: str) -> None:
    one = sit(shell, 'alias ll="ls -la"')

    if shell == "fish":
        one.run("set x rm; function act; true; end")
        one.run("$x -rf nothing; act; sudo -n true")
    else:
        one.run("x=rm; act() { true; }")
        one.run("$x -f ${x}; act; ll . ; sudo -n true")
    line = one.lines[-1]

    assert line.variables["x"] == "rm"
    assert "act" in line.functions
    assert line.resolved == {"sudo": shutil.which("sudo")}
    if shell != "fish":
        assert line.aliases == {"ll": "ls -la"}
    assert "rm" not in repr(line).replace("-rf", "").replace(repr(line.text), "")[10:60]


@pytest.mark.parametrize("shell", POSIX)
def test_a_program_that_is_an_alias_is_not_taken_for_the_file(sit: Sit, shell: str) -> None:
    one = sit(shell, "alias sudo='echo fake'")

    one.run("sudo x")
    one.run("unalias sudo")
    one.run("sudo() { echo fake; }")
    one.run("sudo y")

    assert one.lines[0].aliases["sudo"] == "echo fake"
    assert "sudo" not in one.lines[0].resolved
    assert "sudo" in one.lines[-1].functions
    assert "sudo" not in one.lines[-1].resolved


def test_zsh_tells_what_aliases_make_of_a_line(sit: Sit) -> None:
    one = sit("zsh", "alias -g HARMLESS='; touch HITg'\nalias -s txt='touch HITs'")

    one.run("echo a HARMLESS")
    one.run("./x.txt")

    assert "touch HITg" in (one.lines[0].expanded or "")
    assert one.lines[1].expanded is not None
    assert "HIT" in one.lines[1].expanded
    assert [path for path in one.home.iterdir() if "HIT" in path.name] == []


def test_in_zsh_a_hash_hides_nothing(sit: Sit) -> None:
    one = sit("zsh")
    one.permits = lambda line: all("HIT" not in text.split(" #")[0] for text in line.texts)

    one.run("echo a # ; touch HIT")
    one.run("setopt interactivecomments")
    one.run("echo a # ; touch HIT")

    assert not one.lines[0].comments
    assert any("\\#" in text for text in one.lines[0].texts)
    assert one.lines[2].comments
    assert not (one.home / "HIT").exists()


@pytest.mark.parametrize("shell", SHELLS)
def test_a_line_longer_than_is_read_says_so(sit: Sit, shell: str) -> None:
    one = sit(shell)
    word = "w" * 1000
    long = "echo " + " ".join([word] * (60 if shell == "fish" else 100)) + " | tail -c 3"

    one.type(b"\x1b[200~" + long.encode() + b"\x1b[201~")
    one.settle(0.3)
    one.type(b"\r")
    one.until(lambda: one.stood > 0)

    assert one.lines[0].unreadable == CUT
    assert long.startswith(one.lines[0].text)


@pytest.mark.parametrize("shell", SHELLS)
def test_a_long_line_is_told_whole(sit: Sit, shell: str) -> None:
    one = sit(shell)
    long = "echo " + " ".join(["w" * 1000] * (10 if shell == "fish" else 40)) + " | tail -c 3"

    one.type(b"\x1b[200~" + long.encode() + b"\x1b[201~")
    one.settle(0.3)
    one.type(b"\r")
    one.until(lambda: one.stood > 0)

    assert one.lines[0].text == long
    assert one.lines[0].unreadable is None


@pytest.mark.parametrize("shell", BASHES)
def test_octets_that_are_no_text_are_said_to_be_none(tmp_path: Path, shell: str) -> None:
    command, given = bash(tmp_path, "bind 'set convert-meta off'; bind 'set input-meta on'")
    one = Seat(command, {**given, "LANG": "C", "LC_ALL": "C"}, tmp_path)
    try:
        assert one.install(old=shell.endswith("_old")).installed
        one.type(b"echo a\xffb\r")
        one.until(lambda: one.stood > 0)
        one.type("echo ü€\r".encode())
        one.until(lambda: one.stood > 1)
    finally:
        one.leave()

    assert one.lines[0].unreadable == NO_TEXT
    assert one.lines[1].unreadable is None
    assert one.lines[1].text == "echo ü€"


@pytest.mark.parametrize("shell", SHELLS)
def test_a_line_without_a_verdict_does_not_run(sit: Sit, shell: str) -> None:
    one = sit(shell, wait_s=1)
    one.answers = False

    one.type(b"touch file\r")
    one.until(lambda: one.stood > 0)
    one.answers = True
    one.run("echo alive")

    assert not (one.home / "file").exists()
    assert "alive" in bytes(one.seen).decode()


@pytest.mark.parametrize("shell", SHELLS)
def test_sudo_shows_its_token_while_its_line_runs_and_only_then(sit: Sit, shell: str) -> None:
    one = sit(shell)
    quoted = r"printenv SUDO_PROMPT | od -c | head -n 3; echo done"

    one.token = b"tok7"
    one.run(quoted)
    one.run("printenv SUDO_PROMPT")
    one.token = None
    one.asked.clear()
    without = one.run("printenv SUDO_PROMPT; echo none")

    assert b"7717" not in bytes(one.seen).replace(b"7   7   1   7", b"")
    assert "[sudo]" not in without.split("none")[0].rpartition("echo")[0]
    assert one.asked == []


@pytest.mark.parametrize("shell", SHELLS)
def test_the_token_is_heard_when_sudo_asks(sit: Sit, shell: str) -> None:
    """`printenv` prints what sudo would print."""
    one = sit(shell)
    one.token = b"Token9"

    shown = one.run("printenv SUDO_PROMPT")

    assert one.asked == [b"Token9"]
    assert "[sudo] password for %p: " in shown


@pytest.mark.parametrize("shell", SHELLS)
def test_an_own_prompt_for_sudo_is_kept(sit: Sit, shell: str) -> None:
    setting = "set -gx" if shell == "fish" else "export"
    equals = " " if shell == "fish" else "="
    one = sit(shell, f"{setting} SUDO_PROMPT{equals}'mine: '")

    plain = one.run("printenv SUDO_PROMPT")
    one.token = b"T1"
    marked = one.run("printenv SUDO_PROMPT")
    one.token = None
    again = one.run("printenv SUDO_PROMPT")

    assert "mine: " in plain
    assert "mine: " in marked
    assert "mine: " in again
    assert one.asked == [b"T1"]


@pytest.mark.parametrize("shell", ["bash", pytest.param("bash_old", marks=pytest.mark.soak)])
@pytest.mark.parametrize(
    "rc",
    [
        "set -u",
        "set -o posix",
        "set -C; set -f; shopt -s nullglob failglob",
        "set -o vi",
        "IFS=x",
        "HISTCONTROL=ignoreboth:erasedups",
        "HISTIGNORE='echo*:&:[ ]*'",
        "HISTTIMEFORMAT='%F %T '",
        "readonly HISTTIMEFORMAT='%F %T '",
        "shopt -u cmdhist promptvars",
        "HISTSIZE=0",
        "set +o history",
        "unset HISTFILE HISTSIZE",
        "PROMPT_COMMAND='history -a; true;'",
        "PROMPT_COMMAND=(true 'PS1=\"root@h:~# \"' true)",
        "precmd() { PS1='root@h:~# '; }; PROMPT_COMMAND=precmd",
        "alias history='echo no' printf='echo no' local='echo no' kill='echo no' read='echo no'",
        "history() { echo no; }; read() { echo no; }; kill() { :; }",
        "trap 'true' DEBUG",
        "trap 'echo interrupted' INT",
        "LC_ALL=en_US.UTF-8",
        "TMOUT=600",
    ],
)
def test_unusual_settings_change_nothing(sit: Sit, shell: str, rc: str) -> None:
    one = sit(shell, rc)

    for line in (
        "echo one",
        " echo two",
        "touch HIT",
        "echo one",
        "for i in 1; do touch HIT; done",
    ):
        one.run(line)
    shown = one.run("echo last")

    texts = [line.text for line in one.lines]
    assert texts[:2] == ["echo one", " echo two"]
    assert texts[-1] == "echo last"
    assert all(line.unreadable is None for line in one.lines)
    assert "last\r\n" in shown
    assert not (one.home / "HIT").exists()


def test_an_interrupted_shell_with_errors_fatal_still_asks(sit: Sit) -> None:
    one = sit("bash", "set -e")

    one.run("touch HIT")
    one.run("echo alive")

    assert not (one.home / "HIT").exists()
    assert "alive" in bytes(one.seen).decode()


@pytest.mark.parametrize("shell", ["bash", pytest.param("bash_old", marks=pytest.mark.soak), "zsh"])
@pytest.mark.parametrize(
    "line",
    [
        "builtin() { echo no; }; history() { echo no; }; read() { echo no; }; kill() { :; }",
        "printf() { echo no; }; local() { echo no; }; trap() { :; }; return() { :; }",
        "exec 2>/dev/null",
        "exec >/dev/null",
        "set -x",
        "set -o posix; set -u",
    ],
)
def test_what_an_operator_overrides_lets_nothing_through(sit: Sit, shell: str, line: str) -> None:
    one = sit(shell)

    one.type(line.encode() + b"\r")
    one.settle(0.2, patience=1)
    one.type(b"touch HIT\r")
    one.settle(0.2, patience=1)

    assert not (one.home / "HIT").exists()


@pytest.mark.parametrize("shell", BASHES)
def test_the_settings_of_the_history_are_the_operators_while_a_line_runs(
    sit: Sit, shell: str
) -> None:
    one = sit(shell, "HISTCONTROL=ignoreboth; HISTIGNORE='ls:x*'")

    one.run("touch HIT")
    one.type(b"\r\r")
    one.settle(0.1)
    shown = one.run('echo "<$HISTCONTROL|$HISTIGNORE>"')
    one.run("echo x")
    one.run("echo x")
    one.run(" echo spaced")
    one.run("ls")
    history = one.run("history")

    assert "<ignoreboth|ls:x*>" in shown
    assert history.count("  echo x\r\n") == 1
    assert "spaced" not in history
    assert "  ls\r\n" not in history
    assert "HIT" not in history


@pytest.mark.parametrize("shell", SHELLS)
def test_a_refused_line_is_not_in_the_history(sit: Sit, shell: str) -> None:
    one = sit(shell)

    one.run("echo kept")
    one.run("touch HIT")
    one.run("echo also")
    history = one.run("history")

    assert "kept" in history
    assert "HIT" not in history
    assert "7717" not in history


def test_the_operators_own_ps0_is_shown(sit: Sit) -> None:
    one = sit("bash", "PS0='[begins]'")

    shown = one.run("echo x")

    assert "[begins]x\r\n" in shown
    assert one.tampered == []


@pytest.mark.parametrize("shell", BASHES)
def test_the_operators_own_debug_trap_runs(sit: Sit, shell: str) -> None:
    one = sit(shell, """trap 'DEBUGGED=$BASH_COMMAND' DEBUG""")

    shown = one.run('echo "<$DEBUGGED>"')

    assert "<echo" in shown


@pytest.mark.parametrize(
    ("shell", "removing", "told"),
    [
        ("bash", "PS0=", "PS0"),
        ("bash_old", "trap - DEBUG", "DEBUG"),
        ("zsh", "preexec_functions=()", "preexec_functions"),
        ("zsh", "zshaddhistory_functions=()", "zshaddhistory_functions"),
        ("fish", "bind -e \\r", "bindings"),
    ],
)
def test_a_hook_that_is_removed_is_told_and_set_again(
    sit: Sit, shell: str, removing: str, told: str
) -> None:
    one = sit(shell)

    one.run(removing)
    one.run("touch HIT")
    one.run("echo on")

    assert told in " ".join(one.tampered)
    assert one.lines[-1].text == "echo on"
    assert not (one.home / "HIT").exists()


@pytest.mark.parametrize("shell", BASHES)
def test_a_history_that_is_off_tells_no_lines_until_the_hooks_are_set_again(
    sit: Sit, shell: str
) -> None:
    one = sit(shell)

    one.run("set +o history")
    one.run("touch HIT")
    unreadable = one.lines[-1].unreadable
    step = one.install(old=shell.endswith("_old"))
    one.run("touch HIT")
    one.run("echo on")
    history = one.run("set -o history; history")

    assert one.tampered == ["the history was turned off"]
    assert unreadable == UNKNOWN_TEXT
    assert step.installed is not None
    assert one.lines[-2].text == "echo on"
    assert "echo on" not in history
    assert not (one.home / "HIT").exists()


@pytest.mark.parametrize("shell", SHELLS)
def test_hooks_that_are_set_twice_ask_once(sit: Sit, shell: str) -> None:
    one = sit(shell)

    step = one.install(old=shell.endswith("_old"))
    one.run("echo x")
    history = one.run("history")

    assert step.installed is not None
    assert [line.text for line in one.lines] == ["echo x", "history"]
    assert "7717" not in history


def test_without_the_prompts_hook_lines_are_not_readable_and_the_prompt_tells_nothing(
    sit: Sit,
) -> None:
    one = sit("bash")

    one.type(b"PROMPT_COMMAND=\r")
    one.until(lambda: len(one.prompts) > 0)
    one.type(b"echo x\r")
    one.until(lambda: len(one.lines) > 1)

    assert one.prompts[0].status is None
    assert one.lines[1].unreadable == UNKNOWN_TEXT


@pytest.mark.parametrize("signal_off", ["trap '' INT", "trap 'true' INT"])
@pytest.mark.parametrize("shell", POSIX)
def test_a_trapped_interrupt_lets_nothing_through(sit: Sit, shell: str, signal_off: str) -> None:
    one = sit(shell)

    one.run(signal_off)
    one.type(b"touch HIT\r")
    one.until(lambda: len(one.lines) > 1 and (one.stood > 1 or one.closed))

    assert not (one.home / "HIT").exists()


def test_an_early_bash_does_not_run_what_it_cannot_ask_about(sit: Sit) -> None:
    one = sit("bash_old")

    shown = one.run("{ touch HIT; } &")
    one.run("(touch HIT)")
    one.run("(echo a)|(cat)")
    one.run("sleep 0 & wait")
    history = one.run("history")

    assert "did not run" in shown
    assert "(touch HIT)" not in history
    assert not (one.home / "HIT").exists()
    assert "sleep 0 & wait" in [line.text for line in one.lines]


def test_hooks_cannot_be_redefined_in_bash(sit: Sit) -> None:
    one = sit("bash")

    one.run("__wg_ask() { :; }")
    one.run("unset -f __wg_ask __wg_first")
    one.run("touch HIT")

    assert not (one.home / "HIT").exists()
    assert len(one.lines) == 3


def test_a_killed_hook_is_a_refusal(sit: Sit) -> None:
    """Whoever kills the process that waits for the verdict has not permitted the line."""
    one = sit("bash")
    one.answers = False

    one.type(b"touch file\r")
    one.until(lambda: one.verdict_out)
    for child in _children(one._pid):
        os.kill(child, 9)
    one.until(lambda: one.stood > 0)

    assert not (one.home / "file").exists()


def _children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_edit_and_execute_gives_the_text_back(sit: Sit, tmp_path: Path) -> None:
    editor = tmp_path / "editor"
    editor.write_text("#!/bin/sh\necho 'touch HIT' > \"$1\"\n")
    editor.chmod(0o700)
    one = sit("bash", f"EDITOR={editor}")

    one.type(b"\x18\x05")
    one.settle(0.3)
    lines = len(one.lines)
    one.type(b"\r")
    one.until(lambda: one.stood > 0)

    assert lines == 0
    assert one.lines[0].text == "touch HIT"
    assert not (tmp_path / "HIT").exists()


def test_an_abbreviation_of_fish_is_told_expanded(sit: Sit) -> None:
    one = sit("fish", "abbr -a hh touch HIT")

    one.type(b"hh" + accept_prefix("fish") + b"\r")
    one.until(lambda: one.stood > 0)
    one.run("echo alive")

    assert one.lines[0].text == "touch HIT"
    assert not (one.home / "HIT").exists()
    assert one.lines[-1].text == "echo alive"


def test_an_abbreviation_that_fish_expands_at_last_is_asked_about_again(sit: Sit) -> None:
    one = sit("fish", "abbr -a hh touch HIT")

    one.type(b"hh\r")
    one.until(lambda: one.closed or one.stood > 0)

    assert [line.text.strip() for line in one.lines][-1] == "touch HIT"
    assert not (one.home / "HIT").exists()


@pytest.mark.parametrize(
    ("outer", "inner"),
    [
        ("bash", "bash"),
        ("bash", "zsh"),
        ("bash", "fish"),
        ("zsh", "bash"),
        ("fish", "bash"),
        pytest.param("zsh", "zsh", marks=pytest.mark.soak),
        pytest.param("zsh", "fish", marks=pytest.mark.soak),
        pytest.param("fish", "zsh", marks=pytest.mark.soak),
        pytest.param("fish", "fish", marks=pytest.mark.soak),
    ],
)
def test_a_shell_in_a_shell_has_hooks_of_its_own(sit: Sit, outer: str, inner: str) -> None:
    one = sit(outer)
    starts = {
        "bash": f"bash --noprofile --rcfile {one.home}/none -i",
        "zsh": "zsh -d -f -i",
        "fish": "fish --no-config -i",
    }

    one.type(starts[inner].encode() + b"\r")
    one.until(lambda: len(one.lines) > 0)
    one.settle(0.2)
    step = one.install(nonce=b"a5a5a5a5a5a5a5a5", nested=True)
    one.run("touch HIT")
    one.run("echo inner")
    one.type(b"exit\r")
    one.until(lambda: one.levels[-1] == 1 and one.lines[-1].text == "exit" and one.stood > 2)
    one.run("touch HIT")
    one.run("echo outer")

    assert step.installed is not None
    assert step.installed.shell == inner
    assert one.levels == [0, 1, 1, 1, 0, 0]
    assert not (one.home / "HIT").exists()


@pytest.mark.parametrize(
    "command",
    [["dash", "-i"], ["busybox", "ash", "-i"], ["mksh", "-i"], ["rbash", "--norc", "-i"]],
    ids=lambda command: command[0],
)
def test_a_shell_without_hooks_is_left_as_it_was(tmp_path: Path, command: list[str]) -> None:
    if shutil.which(command[0]) is None:
        pytest.skip(f"there is no {command[0]}")
    if command[0] == "rbash":
        (tmp_path / "rbash").symlink_to("/bin/bash")
        command = [str(tmp_path / "rbash"), *command[1:]]
    one = Seat(command, environment(tmp_path, PS1=PROMPT, ENV="", HISTFILE="/dev/null"), tmp_path)
    try:
        step = one.install()
        one.settle(0.2)
        first = bytes(one.seen)
        one.type(b"echo works\r")
        one.settle(0.2)
        shown = bytes(one.seen)[len(first) :]
    finally:
        one.leave()

    assert step.failed is not None
    assert b"7717" not in first
    assert b"printf" not in first
    assert first.count(b"# ") + first.count(b"$ ") == 1
    assert b"works\r\n" in shown.replace(b"\x1b[?2004l\r", b"")


def test_what_reads_the_terminal_and_is_no_shell_is_left_alone(tmp_path: Path) -> None:
    command = ["sh", "-c", "printf 'name> '; cat > heard"]
    one = Seat(command, environment(tmp_path), tmp_path)
    try:
        step = one.install()
    finally:
        one.leave()

    assert step.failed == "what reads the terminal does not answer"
    assert bytes(one.seen) == b"name> "


def test_a_forged_mark_is_shown_and_told(sit: Sit) -> None:
    one = sit("bash")

    one.run(r"printf '\033]7717;0000;K;q;\007'")
    one.run(rf"printf '\033]7717;{NONCE.decode()[:-1]}0;B;q;\007'")

    assert len(one.foreign) == 2
    assert b"\x1b]7717;0000;K;q;\a" in bytes(one.seen)
