"""Watchgate itself, started as an administrator starts it: `watchgate init`, some `add`, `watchgate serve`."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.real_sshd import Sshd, free_port

OPERATOR = "bench"
TARGET = "target"


class GatewayError(RuntimeError):
    """The gateway could not be set up or did not start; the message ends with what it said."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """A gateway that serves."""

    pid: int
    port: int
    records: Path


@contextmanager
def gateway(
    directory: Path, *, key: Path, target: Sshd, recording: bool, rules: str | None = None
) -> Iterator[Gateway]:
    """A gateway whose operator `bench` has *key* and may reach *target* with everything, under *rules*.

    Its account there logs in by a certificate of the gateway's CA, as is best practice. Without
    *recording* it is the same program with a recorder that keeps nothing (`bench.unrecorded`).
    """
    port = free_port()
    _set_up(directory, key, target)
    if rules is not None:
        file = directory / "rules.yaml"
        file.write_text(rules)
        _watchgate(directory, "rules", "apply", str(file), "--yes")
    module = "watchgate" if recording else "bench.unrecorded"
    settings = [f"ssh.listen=127.0.0.1:{port}", "log.level=warning"]
    # The load comes from one address, as no operator does.
    settings += ["ssh.max_unauthenticated_per_source=1000", "ssh.max_unauthenticated=1000"]
    flags = [part for setting in settings for part in ("--set", setting)]
    log = directory / "serve.log"
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", module, "--data", str(directory), "serve", *flags],
            stdin=subprocess.DEVNULL,
            stdout=errors,
            stderr=errors,
        )
    try:
        _wait_until_it_accepts(process, port, log)
        yield Gateway(process.pid, port, directory / "recordings")
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _set_up(directory: Path, key: Path, target: Sshd) -> None:
    _watchgate(directory, "init")
    target.add_ca((directory / "keys" / "ca_ed25519.pub").read_text())
    _watchgate(directory, "operator", "add", OPERATOR, "--key", f"{key}.pub")
    host_key = target.directory / "host_ed25519.pub"
    where = ["--host", "127.0.0.1", "--port", str(target.port), "--host-key", str(host_key)]
    _watchgate(directory, "target", "add", TARGET, *where, "--set", "host_keys=pinned")
    account = f"{target.user}@{TARGET}"
    _watchgate(directory, "account", "add", account, "--certificate")
    _watchgate(directory, "grant", "add", "--operator", OPERATOR, account)


def _watchgate(directory: Path, *arguments: str) -> object:
    command = [sys.executable, "-m", "watchgate", "--data", str(directory), "--json", *arguments]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()
        raise GatewayError(f"watchgate {' '.join(arguments)}: {said}")
    return json.loads(done.stdout)


def _wait_until_it_accepts(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                said = log.read_text(errors="replace")[-2000:]
                raise GatewayError(f"the gateway does not serve: {said}") from error
            time.sleep(0.05)
