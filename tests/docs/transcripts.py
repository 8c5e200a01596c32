"""The examples of a document as a person would type them: which blocks are run, and how.

A fenced block with the language `console` is a transcript, and is run; every other block is only read.

    ```console              typed into the first terminal of the page
    ```console gateway      typed into another terminal, which has that name; its last command stays

    $ command               is run; it must end with status 0
    > more of it            goes on with the command of the line before
    web1$ command           is typed into the program that the `$` command has started in a terminal
    $ command  # status 1   must end with that status
    anything else           is what it answers: … stands for anything in a line, a line of … for any lines

An answer that is left out may be anything. All blocks of a page run in their order, each terminal is one
bash. `Stage` says where, and which words of a page stand for what there is only when a test runs.
"""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from e2e.servers import Terminal

PATIENCE = 30.0
MARK = "-- the answer ends here:"
_FENCE = re.compile(r"^```(\S*)[ \t]*(.*?)\n(.*?)^```\s*$", re.MULTILINE | re.DOTALL)
_STATUS = re.compile(r"\s+# status (\d+)$")
_PROMPT = "web1$ "


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of a document."""

    language: str
    terminal: str
    text: str
    line: int


@dataclass(slots=True)
class Example:
    """One command, what is typed into it, and what it answers."""

    command: str
    line: int
    typed: list[str] = field(default_factory=list)
    answer: list[str] = field(default_factory=list)
    status: int = 0

    def answers(self, output: str) -> bool:
        """Whether *output* is what the page says; a page that says nothing is content with anything."""
        if not self.answer:
            return True
        return re.fullmatch(_pattern(self.answer), _plain(output)) is not None


def blocks(text: str) -> Iterator[Block]:
    """The fenced blocks of a document."""
    for found in _FENCE.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        yield Block(found[1], found[2].strip(), found[3], line)


def examples(block: Block) -> list[Example]:
    """The commands of a transcript in their order."""
    made: list[Example] = []
    for number, line in enumerate(block.text.splitlines(), block.line + 1):
        if line.startswith("$ "):
            made.append(_example(line[2:], number))
        elif not made:
            raise ValueError(f"line {number}: an answer comes before the first command: {line}")
        elif line.startswith("> "):
            made[-1].command += f"\n{line[2:]}"
        elif line.startswith(_PROMPT):
            made[-1].typed.append(line.removeprefix(_PROMPT))
        else:
            made[-1].answer.append(line)
    return made


def _example(command: str, line: int) -> Example:
    status = _STATUS.search(command)
    return Example(_STATUS.sub("", command), line, status=int(status[1]) if status else 0)


def _pattern(answer: list[str]) -> str:
    lines = []
    for line in answer:
        if line.strip() == "…":
            lines.append(r"(?:[^\n]*\n)*?")
        else:
            words = [".*?".join(map(re.escape, word.split("…"))) for word in line.split()]
            lines.append(r"[ \t]*" + r"[ \t]+".join(words) + r"[ \t]*\n")
    return "".join(lines)


def _plain(output: str) -> str:
    return "".join(f"{line}\n" for line in output.replace("\r", "").splitlines() if line.strip())


@dataclass(frozen=True, slots=True)
class Stage:
    """Where examples run, and what the words of a page stand for there."""

    directory: Path
    environment: Mapping[str, str]
    words: Mapping[str, str]
    """Patterns in what a page says, and what takes their place before it is run."""

    def set(self, text: str) -> str:
        """*text* with the words of the page replaced."""
        for pattern, instead in self.words.items():
            text = re.sub(pattern, lambda _: instead, text)  # noqa: B023 - called at once
        return text


class Shell:
    """One terminal of a page: a bash that keeps its directory and variables from block to block."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._rest = ""
        self._process = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            cwd=stage.directory,
            env=dict(stage.environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def run(self, command: str) -> tuple[str, int]:
        """What a command answers, and its status."""
        self._type(f"{{ {command}\n}} < /dev/null\nprintf '\\n{MARK} %s\\n' $?\n")
        output = self._until(re.compile(rf"\n{MARK} (\d+)\n"))
        head, _, status = output.rpartition(f"\n{MARK} ")
        return head, int(status)

    def start(self, example: Example) -> None:
        """Run a command that stays, and wait until it has answered."""
        self._type(f"{{ {example.command}\n}} < /dev/null &\n")
        self._until(re.compile(_pattern(example.answer)))

    def converse(self, example: Example) -> tuple[str, int]:
        """Run a command in a terminal of its own, and type into it."""
        where = self.run("pwd")[0].strip()
        argv = ["env", f"--chdir={where}", "bash", "-c", f"exec {example.command}"]
        with Terminal(argv, environment=self._stage.environment) as terminal:
            shown = terminal.expect(re.compile(rb"[$#>%] (?:\x1b\[[0-9;?]*[a-zA-Z])*$"), PATIENCE)
            for line in example.typed:
                terminal.send(f"{line}\r")
            status = terminal.wait(PATIENCE)
            return (shown + terminal.shown).decode("utf-8", "replace"), status

    def _type(self, text: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(text.encode())
        self._process.stdin.flush()

    def _until(self, wanted: re.Pattern[str]) -> str:
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        deadline = time.monotonic() + PATIENCE
        while (found := wanted.search(self._rest)) is None:
            ready, _, _ = select.select([descriptor], [], [], max(0, deadline - time.monotonic()))
            data = os.read(descriptor, 65536) if ready else b""
            if not data:
                raise AssertionError(f"{wanted.pattern!r} was not answered, but: {self._rest}")
            self._rest += data.decode("utf-8", "replace")
        output, self._rest = self._rest[: found.end()], self._rest[found.end() :]
        return output

    def close(self) -> None:
        """End the bash and what still runs in it."""
        os.killpg(self._process.pid, signal.SIGTERM)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.read()
        self._process.stdout.close()
        self._process.wait(PATIENCE)


class Reader:
    """Somebody who types what a page says and compares what he sees."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._shells: dict[str, Shell] = {}
        self.count = 0
        """How many commands were run."""

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *exc_info: object) -> None:
        for shell in self._shells.values():
            shell.close()

    def follow(self, page: Path) -> None:
        """Run the transcripts of a page; AssertionError names the line that is not true."""
        for block in blocks(self._stage.set(page.read_text(encoding="utf-8"))):
            if block.language != "console":
                continue
            if block.terminal not in self._shells:
                self._shells[block.terminal] = Shell(self._stage)
            shell, found = self._shells[block.terminal], examples(block)
            for example in found:
                if block.terminal and example is found[-1]:
                    shell.start(example)
                else:
                    _compare(page, example, shell)
                self.count += 1


def _compare(page: Path, example: Example, shell: Shell) -> None:
    output, status = shell.converse(example) if example.typed else shell.run(example.command)
    where = f"{page.name}, line {example.line}: {example.command}"
    said = "\n".join(example.answer)

    assert status == example.status, f"{where}\nended with status {status} and answered\n{output}"
    assert example.answers(output), f"{where}\nanswered\n{output}\nand not\n{said}"
