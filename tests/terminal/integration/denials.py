"""Lines that must not run, and the differing ways in which people have a shell take them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Attempt:
    """Octets that are typed, and how many prompts come back."""

    octets: bytes
    prompts: int = 1


HISTORY = "echo harmless\ntouch HITfromhistory\n"

_POSIX = (
    "touch HIT{n}",
    " touch HIT{n}",
    "touch HIT{n} # with a comment",
    "for i in 1 2; do touch HIT{n}; done",
    "while touch HIT{n}; do break; done",
    "if true; then touch HIT{n}; fi",
    "case x in x) touch HIT{n};; esac",
    "true; touch HIT{n}",
    "true && touch HIT{n} || true",
    "(touch HIT{n})",
    "{{ touch HIT{n}; }}",
    "f() {{ touch HIT{n}; }}; f",
    "touch HIT{n} &",
    "touch HIT{n} & wait",
    "true | touch HIT{n}",
    "touch HIT{n} | cat | cat",
    "echo x | tee HIT{n}",
    "echo x > HIT{n}",
    "> HIT{n}",
    "cat <<< x > HIT{n}",
    "echo $(touch HIT{n})",
    "echo `touch HIT{n}`",
    "eval touch HIT{n}",
    "sh -c 'touch HIT{n}'",
    "x=$(touch HIT{n})",
    "[[ -z $(touch HIT{n}) ]]",
    "'touch' \"HIT{n}\"",
    "nohup touch HIT{n}",
    "echo " + "y" * 200 + "; touch HIT{n}",
    "time touch HIT{n}",
    "! touch HIT{n}",
)
_FISH = (
    "touch HIT{n}",
    " touch HIT{n}",
    "touch HIT{n} # with a comment",
    "for i in 1 2; touch HIT{n}; end",
    "if true; touch HIT{n}; end",
    "begin; touch HIT{n}; end",
    "true; touch HIT{n}",
    "true; and touch HIT{n}",
    "true && touch HIT{n}",
    "function f; touch HIT{n}; end; f",
    "touch HIT{n} &",
    "true | touch HIT{n}",
    "echo x | tee HIT{n}",
    "echo x > HIT{n}",
    "echo (touch HIT{n})",
    "eval touch HIT{n}",
    "sh -c 'touch HIT{n}'",
    "set x (touch HIT{n})",
    "'touch' \"HIT{n}\"",
    "not touch HIT{n}",
)


def attempts(shell: str, count: int) -> Iterator[Attempt]:
    """At least *count* lines, each of which would leave a file `HIT…`."""
    lines = _FISH if shell == "fish" else _POSIX
    ways = {"bash": _bash, "zsh": _zsh, "fish": _fish}[shell]
    given = 0
    while given < count:
        for attempt in (*_typed(lines, given), *ways(given)):
            given += attempt.prompts
            yield attempt


def _typed(lines: tuple[str, ...], number: int) -> Iterator[Attempt]:
    for index, line in enumerate(lines):
        accept = b"\n" if index % 3 == 1 else b"\r"
        yield Attempt(line.format(n=f"{number}_{index}").encode() + accept)


def _bash(n: int) -> Iterator[Attempt]:
    yield Attempt(b"touch HITo%d\x0f" % n)
    yield Attempt(b"\x14")  # a macro that types a line and accepts it
    yield Attempt(b"!to\r")
    yield Attempt(b"\x12touch\r")
    yield Attempt(b"\x1b[A\x1b[A\x10\x0e\x15touch HITk%d\r" % n)
    yield Attempt(b"touch HITp%d\rtouch HITq%d\rtouch HITr%d\r" % (n, n, n), 3)
    yield Attempt(b"\x1b[200~touch HITs%d\x1b[201~\r" % n)
    yield Attempt(b"for i in 1; do\rtouch HITm%d\rdone\r" % n)
    yield Attempt(b"cat > HITh%d <<E\rbody\rE\r" % n)
    yield Attempt(b"touch \\\rHITc%d\r" % n)
    yield Attempt(b"touch 'HIT\r%d'\r" % n)


def _zsh(n: int) -> Iterator[Attempt]:
    yield Attempt(b"touch HITo%d\x0f" % n)
    yield Attempt(b"\x14")
    yield Attempt(b"!to\r")
    yield Attempt(b"\x12touch\r")
    yield Attempt(b"touch HITp%d\rtouch HITq%d\rtouch HITr%d\r" % (n, n, n), 3)
    yield Attempt(b"\x1b[200~touch HITs%d\x1b[201~\r" % n)
    yield Attempt(b"for i in 1; do\rtouch HITm%d\rdone\r" % n)
    yield Attempt(b"cat > HITh%d <<E\rbody\rE\r" % n)
    yield Attempt(b"touch \\\rHITc%d\r" % n)
    yield Attempt(b"touch 'HIT\r%d'\r" % n)


def _fish(n: int) -> Iterator[Attempt]:
    yield Attempt(b"touch HITp%d\rtouch HITq%d\rtouch HITr%d\r" % (n, n, n), 3)
    yield Attempt(b"\x1b[200~touch HITs%d\x1b[201~\r" % n)
    yield Attempt(b"for i in 1\rtouch HITm%d\rend\r" % n)
    yield Attempt(b"touch 'HIT\r%d'\r" % n)
    yield Attempt(b"touch hHIT%d\x1b[D\x7f\r" % n)
