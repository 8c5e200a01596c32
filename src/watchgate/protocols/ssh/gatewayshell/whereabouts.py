"""The directory in which the gateway's shell is: it is kept here, and every line is run in it."""

from __future__ import annotations

from watchgate.policy.reading import ShellContext
from watchgate.protocols.ssh.menu_text import clean

LONGEST_SHOWN = 48
"""Characters of a directory that the prompt shows."""


class Whereabouts:
    """Where the shell is, where it was before, and where it began."""

    def __init__(self) -> None:
        self.home: str | None = None
        self.directory: str | None = None
        self._previous: str | None = None

    def context(self) -> ShellContext:
        """With what a line is to be read."""
        return ShellContext(dialect="sh", cwd=self.directory, home=self.home)

    def begin(self, answer: bytes) -> None:
        """What the target said to `pwd`; what is no directory leaves it unknown."""
        self.home = self.directory = directory_of(answer)

    def go(self, answer: bytes) -> bool:
        """What the target said to a question; whether it named a directory."""
        found = directory_of(answer)
        if found is not None:
            self._previous, self.directory = self.directory, found
        return found is not None

    def run(self, line: str) -> str:
        """*line*, to be run where the shell is: where every program begins, it is as it was given."""
        return line if self.directory == self.home else within(self.directory, line)

    def question(self, where: str | None) -> str:
        """Asks the target which directory *where* is; `-` is the one before, None where it began."""
        wanted = (self._previous or self.directory) if where == "-" else where or self.home
        if wanted is None:
            return "cd && pwd -P"
        # Without a slash at its beginning a shell would look for it along its CDPATH.
        absolute = wanted if wanted.startswith("/") else f"./{wanted}"
        return self.run(f"cd -- {quoted(absolute)} && pwd -P")

    def prompt(self, account: str, target: str) -> str:
        """`root@web1:~/logs% `: the sign is not that of the target's shells, for this is none of them."""
        return f"{clean(account)}@{clean(target)}:{self._shown()}% "

    def _shown(self) -> str:
        directory, home = self.directory, self.home
        if directory is None or directory == home:
            return "~"
        if home and home != "/" and directory.startswith(f"{home}/"):
            directory = f"~{directory[len(home) :]}"
        shown = clean(directory)
        return shown if len(shown) <= LONGEST_SHOWN else "..." + shown[3 - LONGEST_SHOWN :]


def quoted(text: str) -> str:
    """*text* as one word of a shell, whatever is in it."""
    return "'" + text.replace("'", "'\\''") + "'"


def within(directory: str | None, line: str) -> str:
    """*line*, to be run in *directory*; one that is gone ends it before it begins."""
    return line if directory is None else f"cd -- {quoted(directory)} || exit\n{line}"


def directory_of(answer: bytes) -> str | None:
    """The directory that `pwd` named."""
    text = answer.decode("utf-8", "surrogateescape").removesuffix("\n")
    return text if text.startswith("/") and "\n" not in text and "\0" not in text else None
