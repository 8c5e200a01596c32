"""Other sessions: many asyncssh clients in a process of their own, typing or idle.

The process shares the machine's cores with what is measured, which every figure under load includes; the
figure of `direct` in the same run pays for it too.
"""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import asyncssh

from bench.ways import Course, Way

AT_ONCE = 6
"""Logins at a time: fewer than any of the servers takes for an attack."""
OPENING = 300
"""Seconds in which all sessions must be open."""


@dataclass(frozen=True, slots=True)
class Load:
    """*sessions* sessions that type *keys_per_second* each."""

    sessions: int
    keys_per_second: float = 5.0

    @contextmanager
    def running(self, course: Course, way: Way) -> Iterator[None]:
        """Until the context ends, these sessions are open through *way*."""
        plan = {
            "sessions": self.sessions,
            "keys_per_second": self.keys_per_second,
            "port": way.port,
            "user": way.user,
            "key": str(course.key),
            "jump_port": way.jump_port,
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "bench.load", json.dumps(plan)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        try:
            assert process.stdout is not None
            if process.stdout.readline() != b"ready\n":
                raise RuntimeError(f"the other sessions through {way.name} could not be opened")
            yield
        finally:
            process.communicate()


async def _generate(plan: dict[str, Any]) -> None:
    """Open the sessions, say `ready`, and type until standard input ends."""
    connections: list[asyncssh.SSHClientConnection] = []
    places = asyncio.Semaphore(AT_ONCE)
    try:
        async with asyncio.timeout(OPENING), asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(_open(plan, places, connections)) for _ in range(plan["sessions"])
            ]
        processes = [task.result() for task in tasks]
        print("ready", flush=True)
        async with asyncio.TaskGroup() as group:
            typists = [group.create_task(_discard(process)) for process in processes]
            if plan["keys_per_second"]:
                pause = 1 / plan["keys_per_second"]
                typists += [group.create_task(_type(process, pause)) for process in processes]
            await asyncio.to_thread(sys.stdin.buffer.read)
            for typist in typists:
                typist.cancel()
    finally:
        for connection in connections:
            connection.abort()


async def _open(
    plan: dict[str, Any],
    places: asyncio.Semaphore,
    connections: list[asyncssh.SSHClientConnection],
) -> asyncssh.SSHClientProcess[bytes]:
    async with places:
        common: dict[str, Any] = {
            "client_keys": [plan["key"]],
            "known_hosts": None,
            "agent_path": None,
            "config": None,
        }
        options = common | {"username": plan["user"]}
        if plan["jump_port"]:
            jump = await asyncssh.connect("127.0.0.1", plan["jump_port"], **options)
            connections.append(jump)
            options["tunnel"] = jump
        connection = await asyncssh.connect("127.0.0.1", plan["port"], **options)
        connections.append(connection)
        process = await connection.create_process(
            "echo rea''dy; exec cat >/dev/null", term_type="xterm", encoding=None
        )
        await process.stdout.readuntil(b"ready\r\n")
        return process


async def _type(process: asyncssh.SSHClientProcess[bytes], pause: float) -> None:
    chance = random.Random()
    await asyncio.sleep(pause * chance.random())
    pressed = 0
    while True:
        pressed += 1
        process.stdin.write(b"x" if pressed % 60 else b"\r")
        await asyncio.sleep(pause * chance.uniform(0.5, 1.5))


async def _discard(process: asyncssh.SSHClientProcess[bytes]) -> None:
    while await process.stdout.read(65536):
        pass


if __name__ == "__main__":
    asyncio.run(_generate(json.loads(sys.argv[1])))
