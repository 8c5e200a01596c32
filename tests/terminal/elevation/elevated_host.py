"""A host of its own for sudo, su and doas: the machine's programs with other accounts, in a mount namespace.

Nothing of it stays: `/etc` is a copy in a file system in memory that ends with its last process.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from elevation_world import TOLD, readings

from watchgate.demo.pseudoterminal import open_pair
from watchgate.secret import Secret
from watchgate.terminal.elevation.elevation import Elevation
from watchgate.terminal.elevation.keystrokes import keystrokes
from watchgate.terminal.elevation.outcomes import Outcome
from watchgate.terminal.elevation.scrubbing import Scrubber

USER, UID = "gatetest", "61234"
PASSWORD, ROOTS = "s3cret-pw", "r00t-pw"
READY = b"ready> "
SCRIPT = r"""
set -eu
files=$1 uid=$2; shift 2
mount -t tmpfs tmpfs /mnt
cp -a /etc /mnt/etc
cat "$files/passwd" >> /mnt/etc/passwd
cat "$files/shadow" > /mnt/etc/shadow
cp "$files/doas.conf" /mnt/etc/doas.conf
[ ! -e "$files/pam.sudo" ] || cp "$files/pam.sudo" /mnt/etc/pam.d/sudo
rm -rf /mnt/etc/sudoers.d; mkdir /mnt/etc/sudoers.d
cp "$files/sudoers" /mnt/etc/sudoers
chmod 440 /mnt/etc/sudoers
chmod 400 /mnt/etc/doas.conf
[ ! -e "$files/imitation" ] || install -m 755 "$files/imitation" /mnt/imitation
mount --bind /mnt/etc /etc
mount -t tmpfs tmpfs /run
[ ! -d /var/lib/sudo ] || mount -t tmpfs tmpfs /var/lib/sudo
exec setpriv --reuid "$uid" --regid "$uid" --clear-groups "$@"
"""
_MARK = re.compile(rb"\x1b\]7717;n;([0-9a-f]+);([^\x07]*)\x07")
_SECONDS = 20.0


def _files(folder: Path, sudoers: str, pam: str | None) -> None:
    hashes = {
        "root": "$6$watchgate$a6xc0DgZ5HoT1OxG2lJh05MrqDn9LF1RKBachPnIlGH8eXA2UofNhu5Iq0CHeWGN4w9qwJTUaQURPRyUBrjeh1",
        USER: "$6$watchgate$kq6AuRQIBSgEXqYmGnoLMoCa4QQgkdgZz7iuO/yOU3VxCEgfJRpzQWP95IGvXi31Bck5XByXqbNfinXuS4GKx1",
    }
    texts = {
        "passwd": f"{USER}:x:{UID}:{UID}::/:/bin/bash\n",
        "shadow": "".join(f"{name}:{one}:19000:0:99999:7:::\n" for name, one in hashes.items()),
        "doas.conf": f"permit {USER}\n",
        "sudoers": f"Defaults env_reset\n{sudoers}\nroot ALL=(ALL) ALL\n",
    }
    if pam is not None:
        texts["pam.sudo"] = pam
    for name, text in texts.items():
        (folder / name).write_text(text)


@dataclass
class Host:
    """A shell of an ordinary account there, and the elevations of its terminal."""

    descriptor: int
    elevation: Elevation
    secret: Secret
    shown: bytes = b""
    outcomes: list[Outcome] = field(default_factory=list)
    _tokens: int = 0

    def run(
        self, line: str, *, hooked: bool = False, operator: bytes = b"", at: bytes = b""
    ) -> bytes:
        """Type a line and see it to its end; what it printed, as the operator sees it.

        *hooked* does what the shell's hooks would; *operator* is typed when a prompt is left to him, or at *at*.
        """
        token = None
        if hooked and self.elevation.wants_token(readings(line), TOLD):
            self._tokens += 1
            token = b"%032x" % self._tokens
            mark = f"\\e]7717;n;{token.decode()};%p\\a[sudo] password for %p: "
            self._plain(f"export SUDO_PROMPT=$'{mark}'")
        os.write(self.descriptor, line.encode())
        self._read_until(re.escape(line.encode()))
        self.elevation.started(
            _now_us(),
            readings(line),
            exact=True,
            resolved=TOLD if hooked else None,
            token=token,
        )
        os.write(self.descriptor, b"\r")
        return self._follow(operator, at)

    def _plain(self, line: str) -> None:
        os.write(self.descriptor, line.encode() + b"\r")
        self._read_until(b"\n.*" + READY)

    def _follow(self, operator: bytes, at: bytes) -> bytes:
        seen, scrubber = b"", Scrubber(self.secret)
        answered, end = False, time.monotonic() + _SECONDS
        while not seen.endswith(READY):
            assert time.monotonic() < end, f"it hangs after {seen!r}"
            for part in _parts(self._chunk()):
                outcome = self._heard(part)
                if at and at in seen:
                    os.write(self.descriptor, operator)
                    at = b""
                seen += (
                    b"" if isinstance(part, tuple) else scrubber.feed(part) if answered else part
                )
                if outcome is None:
                    continue
                self.outcomes.append(outcome)
                if self.elevation.waiting is not None:
                    self.elevation.answered(_now_us())
                    answered = True
                    os.write(self.descriptor, keystrokes(self.secret).reveal())
                elif operator:
                    os.write(self.descriptor, operator)
        if rejected := self.elevation.finished(_now_us()):
            self.outcomes.append(rejected)
        self.shown += seen
        return seen

    def _heard(self, part: bytes | tuple[bytes, bytes]) -> Outcome | None:
        if isinstance(part, tuple):
            return self.elevation.asked(_now_us(), part[0], part[1].decode())
        if part:
            return self.elevation.printed(_now_us(), part)
        return self.elevation.expire(_now_us())

    def _chunk(self) -> bytes:
        ready, _, _ = select.select([self.descriptor], [], [], 0.05)
        return os.read(self.descriptor, 65536) if ready else b""

    def _read_until(self, pattern: bytes) -> None:
        seen, end = b"", time.monotonic() + _SECONDS
        while not re.search(pattern, seen, re.DOTALL):
            assert time.monotonic() < end, f"{pattern!r} does not come after {seen!r}"
            seen += self._chunk()


def _parts(octets: bytes) -> Iterator[bytes | tuple[bytes, bytes]]:
    """Output, and marks with their token and user; one empty part where nothing came."""
    at = 0
    for mark in _MARK.finditer(octets):
        if mark.start() > at:
            yield octets[at : mark.start()]
        yield mark[1], mark[2]
        at = mark.end()
    if at < len(octets) or not octets:
        yield octets[at:]


def _now_us() -> int:
    return time.monotonic_ns() // 1000


@contextlib.contextmanager
def host(
    folder: Path,
    *,
    sudoers: str = f"{USER} ALL=(ALL) ALL",
    pam: str | None = None,
    whose: str = "",
    secret: str = PASSWORD,
    environment: tuple[str, ...] = (),
) -> Iterator[Host]:
    """A host with these sudoers, whose gateway knows *secret* to be the password of *whose*."""
    _files(folder, sudoers, pam)
    ours, theirs = open_pair(200, 50)
    shell = ("bash", "--norc", "--noprofile")
    set_to = (f"PS1={READY.decode()}", "TERM=dumb", "PATH=/usr/bin:/bin", "HOME=/", *environment)
    words = ("unshare", "--mount", "--propagation", "private", "setsid", "--ctty", "sh", "-c")
    running = subprocess.Popen(
        [*words, SCRIPT, "sh", str(folder), UID, "env", "-i", *set_to, *shell],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    elevation = Elevation("unix", enabled=True, account=USER, whose=whose)
    made = Host(ours, elevation, Secret(secret))
    try:
        made._read_until(READY)
        yield made
    finally:
        os.close(ours)
        running.kill()
        running.wait(10)
