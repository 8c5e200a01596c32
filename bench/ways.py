"""The ways to a target that are compared, each as a host name of one OpenSSH configuration.

`ssh direct`, `ssh jump`, `ssh bastion`, `ssh watchgate` and `ssh unrecorded` all end at the same sshd, as the
same user, so that every measurement is the same command line with another name in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bench.gateway import gateway
from bench.real_sshd import Sshd, sshd
from watchgate.demo.openssh import OpenSsh

BASTION = """#!/bin/bash
# The classic bastion: what its sshd forces in place of whatever the client asked for.
set -o pipefail
umask 077
record=$(mktemp {records}/XXXXXXXXXX)
target=(ssh -F {config})
if [ -t 0 ]; then
    if [ -n "$SSH_ORIGINAL_COMMAND" ]; then
        exec script -q -e -c 'exec ssh -tt -F {config} direct "$SSH_ORIGINAL_COMMAND"' "$record"
    fi
    exec script -q -e -c 'exec ssh -tt -F {config} direct' "$record"
fi
case "$SSH_ORIGINAL_COMMAND" in
    *sftp*) exec "${{target[@]}}" -s direct sftp ;;
    scp\\ *) exec "${{target[@]}}" direct "$SSH_ORIGINAL_COMMAND" ;;
    # A terminal would change the octets; what a bastion keeps of them is a copy.
    *) "${{target[@]}}" direct "$SSH_ORIGINAL_COMMAND" | tee "$record" ;;
esac
"""


RULES = """
version: 1
rules:
  near-the-root: {description: A., action: block, severity: high, match: {program: rm, flags: recursive, path: [/, /etc/**]}}
  shutdowns: {description: B., action: block, match: {program: [reboot, halt, poweroff, shutdown]}}
  opaque-pieces: {description: C., action: allow, severity: medium, match: {opaque: true}}
"""
"""What the way `ruled` decides its commands by."""

ABOUT = {
    "watchgate": "",
    "unrecorded": " with its recorder replaced by none",
    "ruled": " with rules, so that terminals are behind their gates",
}


@dataclass(frozen=True, slots=True)
class Way:
    """One way to the target: its name for `ssh`, and what of it runs on this machine."""

    name: str
    port: int
    user: str
    pid: int
    """The process whose tree this way costs; for `direct` that is the target itself."""
    records: Path | None = None
    """Where it keeps what it records."""
    jump_port: int = 0
    about: str = ""


@dataclass(frozen=True, slots=True)
class Course:
    """Everything that one run measures on."""

    client: OpenSsh
    key: Path
    ways: tuple[Way, ...]
    files: Path
    notes: tuple[str, ...] = ()

    @property
    def direct(self) -> Way:
        """The way that the others are compared with."""
        return self.ways[0]

    def only(self, names: tuple[str, ...]) -> Course:
        """The course with `direct` and those of *names* that there are."""
        kept = tuple(w for w in self.ways if w.name == "direct" or w.name in names)
        return replace(self, ways=kept)


@contextmanager
def course(directory: Path, names: tuple[str, ...]) -> Iterator[Course]:
    """Start what the ways of *names* need; everything ends with the context.

    A gateway that does not start is left out, and the reason is among the notes: the others still count.
    """
    client = OpenSsh.create(directory / "client")
    key = client.new_key()
    public = key.with_suffix(".pub").read_text()
    with ExitStack() as stack:
        target = stack.enter_context(sshd(directory / "target", authorized=(public,)))
        about = "ssh to the target"
        ways = [Way("direct", target.port, target.user, target.process.pid, about=about)]
        if "jump" in names:
            server = stack.enter_context(sshd(directory / "jump", authorized=(public,)))
            ways.append(_jump(target, server))
        if "bastion" in names:
            ways.append(_bastion(stack, directory / "bastion", public, target))
        notes = []
        for name in ("watchgate", "unrecorded", "ruled"):
            if name not in names:
                continue
            try:
                ways.append(_watchgate(stack, directory / name, name, key, target))
            except RuntimeError as error:
                notes.append(f"{name} is not measured: {error}")
        _introduce(client, key, ways)
        files = directory / "files"
        files.mkdir(exist_ok=True)
        yield Course(client, key, tuple(ways), files, tuple(notes))


def _jump(target: Sshd, server: Sshd) -> Way:
    return Way(
        "jump",
        target.port,
        target.user,
        server.process.pid,
        jump_port=server.port,
        about="ssh -J through a second sshd, which sees only ciphertext and records nothing",
    )


def _bastion(stack: ExitStack, directory: Path, public: str, target: Sshd) -> Way:
    records = directory / "records"
    records.mkdir(parents=True)
    command = directory / "bastion.sh"
    inner = directory.parent / "client" / "ssh_config"
    command.write_text(BASTION.format(records=records, config=inner))
    command.chmod(0o755)
    lines = (f"ForceCommand {command}",)
    server = stack.enter_context(sshd(directory, authorized=(public,), lines=lines))
    about = (
        "a second sshd with ForceCommand: script around ssh to the target, tee without a terminal"
    )
    return Way("bastion", server.port, server.user, server.process.pid, records, about=about)


def _watchgate(stack: ExitStack, directory: Path, name: str, key: Path, target: Sshd) -> Way:
    running = stack.enter_context(
        gateway(
            directory,
            key=key,
            target=target,
            recording=name != "unrecorded",
            rules=RULES if name == "ruled" else None,
        )
    )
    about = "the gateway" + ABOUT[name]
    user = f"bench+{target.user}@target"
    return Way(name, running.port, user, running.pid, running.records, about=about)


def _introduce(client: OpenSsh, key: Path, ways: list[Way]) -> None:
    """Write the hosts into the client's configuration; loopback needs no known hosts here."""
    blocks = ""
    for way in ways:
        jump = "    ProxyJump jumphost\n" if way.jump_port else ""
        blocks += f"Host {way.name}\n    Port {way.port}\n    User {way.user}\n{jump}"
        if way.jump_port:
            blocks += f"Host jumphost\n    Port {way.jump_port}\n    User {way.user}\n"
    client.write_config(
        blocks,
        HostName="127.0.0.1",
        IdentityFile=f'"{key}"',
        # OpenSSH prefers a key exchange that the gateway's library lacks and that takes longer:
        # what is compared are the ways, so all use the same one.
        KexAlgorithms="curve25519-sha256",
        StrictHostKeyChecking="no",
        UserKnownHostsFile="/dev/null",
    )
