"""The demo without a person: real OpenSSH programs go through the gateway, and the evidence is looked at.

It does with the same commands what the demo tells a person to do, and says of each step whether it worked.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from watchgate.demo.terminal import NotShownError
from watchgate.demo.world import FORBIDDEN, World
from watchgate.errors import WatchgateError

ANSWER = "watchgate-42"
TYPED = "echo watchgate-$((6*7))"
"""What is typed does not hold the answer, so an echo is not taken for it."""

PATIENCE = 20.0


class CheckFailedError(WatchgateError):
    """A step of the check did not do what it must; the message names the step and what was seen."""

    code = "demo.check"


class Check:
    """The steps, in their order, on a demo that is running in *world*."""

    def __init__(self, world: World, say: Callable[[str], None]) -> None:
        self._world = world
        self._say = say
        self._shell: dict[str, Any] = {}

    def run(self) -> None:
        """Take all steps; raises CheckFailedError at the first that fails."""
        self._typing()
        self._copying()
        self._listing()
        self._verifying()
        self._replaying()
        self._finding()
        self._handing_on()
        self._printing()

    def _typing(self) -> None:
        world, step = self._world, "ssh: a shell on the target"
        with world.client.terminal("-tt", world.destination) as person:
            try:
                person.send(f"{TYPED}\r")
                person.expect(ANSWER, PATIENCE)
                person.send(f"{FORBIDDEN}\r")
                person.expect("watchgate: blocked by rule demo", PATIENCE)
                person.send("exit 3\r")
                status = person.wait(PATIENCE)
            except NotShownError as error:
                raise _failed(step, str(error)) from error
        if status != 3:
            raise _failed(step, f"the shell ended with 3, ssh with {status}")
        self._say(f"{step} answered {ANSWER}, and its exit status came back")
        self._say(f"a rule: `{FORBIDDEN}` was blocked before it ran")

    def _copying(self) -> None:
        world, step = self._world, "scp: a file to the target"
        sent, landed = world.own / "sent", world.own / "landed"
        sent.write_bytes(bytes(range(256)) * 1024)
        remote = f"{world.destination}:{landed.resolve()}"
        try:
            done = world.client.scp("-q", str(sent), remote, timeout=PATIENCE)
        except subprocess.TimeoutExpired as error:
            raise _failed(step, f"it did not end in {PATIENCE} s") from error
        if done.returncode or not landed.exists() or landed.read_bytes() != sent.read_bytes():
            raise _failed(step, f"status {done.returncode}: {_text(done.stderr)}")
        self._say(f"{step} arrived whole ({sent.stat().st_size} octets)")

    def _listing(self) -> None:
        step = "session list: both sessions are sealed"
        deadline = time.monotonic() + PATIENCE
        while True:
            sessions = json.loads(self._watchgate(step, "session", "list", "--json"))
            if len(sessions) == 2 and all(one["state"] == "closed" for one in sessions):
                break
            if time.monotonic() > deadline:
                raise _failed(step, f"the catalog has {sessions}")
            time.sleep(0.1)
        self._shell = sessions[-1]
        shown = json.loads(self._watchgate(step, "session", "show", sessions[0]["id"], "--json"))
        moved = [Path(file["path"]).name for file in shown["files"] if file["complete"]]
        if moved != ["landed"]:
            raise _failed(step, f"the copied file is not in its manifest: {shown['files']}")
        self._say(f"{step}, and the copied file is in its manifest")

    def _verifying(self) -> None:
        step = "session verify: the recordings are intact"
        found = json.loads(self._watchgate(step, "session", "verify", "--json"))
        if found["verified"] != 2 or found["not_intact"]:
            raise _failed(step, json.dumps(found))
        self._say(step)

    def _replaying(self) -> None:
        step = "session play: the session is replayed"
        if ANSWER not in self._watchgate(step, "session", "play", self._shell["id"]):
            raise _failed(step, f"{ANSWER} is not in it")
        self._say(f"{step}, with {ANSWER} in it")

    def _finding(self) -> None:
        step = "search: the session is found by what was typed in it"
        deadline = time.monotonic() + PATIENCE
        while True:
            found = json.loads(self._watchgate(step, "search", "echo watchgate-", "--json"))
            here = [hit for hit in found["hits"] if hit["session"] == self._shell["id"]]
            if here:
                break
            if time.monotonic() > deadline:
                raise _failed(step, f"it is not: {found}")
            time.sleep(0.2)
        self._say(f"{step}: {here[0]['text']}")

    def _handing_on(self) -> None:
        step = "session export: a page that plays it in a browser"
        page = self._world.own / "session.html"
        words = ("--format", "html", "--output", str(page))
        self._watchgate(step, "session", "export", self._shell["id"], *words)
        if "</html>" not in page.read_text("utf-8"):
            raise _failed(step, f"{page} is not whole")
        self._say(f"{step} ({page.stat().st_size} octets)")

    def _printing(self) -> None:
        step = "session export: the recording as text"
        text = self._watchgate(step, "session", "export", self._shell["id"], "--format", "text")
        if ANSWER not in text:
            raise _failed(step, f"{ANSWER} is not in it:\n{text}")
        self._say(f"{step}:\n\n{text}")

    def _watchgate(self, step: str, *arguments: str) -> str:
        """Run the command as a person does, and return what it printed."""
        command = [sys.executable, "-m", "watchgate", "--data", str(self._world.root), *arguments]
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False
        )
        if done.returncode:
            raise _failed(step, f"status {done.returncode}: {_text(done.stderr)}")
        return _text(done.stdout)


def _failed(step: str, what: str) -> CheckFailedError:
    return CheckFailedError(f"{step}: {what}")


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "backslashreplace")
