"""What deciding costs: a line read and decided under many rules, and a terminal's bulk output behind the gate."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from watchgate.clock import Clock, SystemClock
from watchgate.emulation.emulators import Emulators
from watchgate.emulation.host import Host
from watchgate.policy.commands import KnownCommand, Source
from watchgate.policy.loading import load_text
from watchgate.policy.readings import readings
from watchgate.policy.ruleset import RuleSet
from watchgate.policy.verdicts import Outcome
from watchgate.protocols.ssh.capture import TerminalCapture
from watchgate.session.model import Device
from watchgate.terminal.gate.gate import Gate
from watchgate.terminal.live.profiles import profile
from watchgate.terminal.live.reader import LiveReader
from watchgate.terminal.screens import open_screen

SCREENS = 50
PIECE = 32 * 1024
"""Octets that a gateway deals with at once, at most."""

ORDINARY = (
    "ls -la",
    "cd /var/log",
    "git status",
    "tail -f syslog",
    "systemctl status nginx",
    "less /etc/nginx/nginx.conf",
    "df -h",
    "ps aux | grep java",
    "vi /etc/hosts",
    "sudo systemctl restart nginx",
    "cat /proc/meminfo | head -5",
    "grep -rn 'listen 80' /etc/nginx",
    "du -sh * | sort -h | tail",
    "journalctl -u sshd --since today",
    "docker ps -a",
    "kubectl -n prod get pods",
    "find . -name '*.log' -mtime +7",
    "chmod 644 index.html",
    "echo $PATH",
    "cp -r site /srv/www/ && ls /srv/www",
)
LONG = (
    "sudo rm -rf /var/cache/apt/*",
    "grep -rn 'listen 80' /etc/nginx | sort | uniq -c",
    'for f in *.log; do gzip "$f"; done',
    "tar czf /tmp/backup.tgz --exclude='*.tmp' /srv/data && scp /tmp/backup.tgz backup@10.0.0.9:/srv/",
    "find /var/log -name '*.gz' -mtime +30 -exec rm -f {} +",
    "kubectl -n prod get pods -o json | jq -r '.items[].metadata.name'",
    "psql -U app -c 'select count(*) from orders where created > now() - interval 1'",
    "echo cm0gLXJmIC8K | base64 -d | sh",
    "cd /srv/app && git pull --rebase && make install",
    "docker exec -it web bash -c 'ps aux | head'",
)


def many(count: int) -> RuleSet:
    """So many rules, as a site would have them: structural ones, with a regex in every fifth."""
    programs = [
        "rm",
        "dd",
        "mkfs",
        "shred",
        "useradd",
        "passwd",
        "iptables",
        "systemctl",
        "kill",
        "curl",
        "wget",
        "nc",
        "scp",
        "mount",
        "chmod",
    ]
    parts = ["version: 1", "rules:"]
    for at in range(count):
        program = programs[at % len(programs)]
        match = (
            f"{{regex: '{program} .*srv{at}'}}"
            if at % 5 == 0
            else f"{{program: {program}, path: /srv/{at}/**}}"
        )
        parts.append(
            f"  rule-{at}: {{description: A rule., action: block, severity: high, match: {match}}}"
        )
    return RuleSet(load_text("\n".join(parts) + "\n", "rules.yaml"))


def timed(work: Callable[[], object]) -> float:
    """Microseconds of one call."""
    begun = time.perf_counter_ns()
    work()
    return (time.perf_counter_ns() - begun) / 1000


def at(values: Sequence[float], percent: float) -> float:
    """The value at that percentage of the sorted *values*."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def print_costs() -> None:
    """Print both tables."""
    print("\nreading and deciding one line, microseconds")
    print(
        f"{'lines':9} {'rules':>7} {'read p50':>9} {'p99':>8} {'decide p50':>11} {'p99':>8} "
        f"{'both p50':>9} {'p99':>8}"
    )
    for count in (20, 200, 2_000, 10_000):
        rules = many(count)
        for name, lines in (("ordinary", ORDINARY), ("long", LONG)):
            print(f"{name:9} {count:7} {_decided(rules, lines)}")
    print(
        "\noutput through a terminal, MiB a second of this process's time (the connection is not in it)"
    )
    text = b"".join(
        b"Nov 21 10:00:%02d web1 app[%d]: request %d done in 12 ms\r\n" % (n % 60, n, n * 7)
        for n in range(40_000)
    )
    colored = text.replace(b"web1", b"\x1b[32mweb1\x1b[0m")
    clock = SystemClock()
    ways = {
        "the gate": _gate(clock),
        "recording alone": TerminalCapture(1, True, clock).received,
        "emulating all of it": open_screen(80, 24).feed,
    }
    for name, octets in (("log", text), ("colored log", colored)):
        rates = "   ".join(f"{way} {_rate(octets, take):7.0f}" for way, take in ways.items())
        print(f"{name:12} {rates}")
    print(_memory(colored))


def _memory(octets: bytes) -> str:
    """What the process in which terminals are emulated takes, and what each of them adds."""
    host = Host()
    emulators = Emulators(lambda: host)
    emulators.ready()
    empty = resident(host.pid)
    screens = [emulators.open(80, 24) for _ in range(SCREENS)]
    for screen in screens:
        screen.feed(octets[: 128 * 1024])
        screen.lines()
    each = (resident(host.pid) - empty) / len(screens)
    emulators.stop()
    return f"\nthe emulating process {empty / 1e6:.0f} MB, each full terminal of 80 columns {each / 1e3:.0f} kB more"


def resident(pid: int) -> int:
    """Octets of memory that a process has."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _decided(rules: RuleSet, lines: Sequence[str]) -> str:
    read_us: list[float] = []
    decide_us: list[float] = []
    both_us: list[float] = []
    template = KnownCommand(1, "", Source.INTEGRATION, exact=True)
    for _ in range(150):
        for line in lines:
            command = replace(template, text=line)
            begun = time.perf_counter_ns()
            meant = readings(command)
            between = time.perf_counter_ns()
            rules.decide(command, meant, 1_800_000_000_000_000)
            ended = time.perf_counter_ns()
            read_us.append((between - begun) / 1000)
            decide_us.append((ended - between) / 1000)
            both_us.append((ended - begun) / 1000)
    columns = [at(v, p) for v in (read_us, decide_us, both_us) for p in (50, 99)]
    return "{:9.0f} {:8.0f} {:11.0f} {:8.0f} {:9.0f} {:8.0f}".format(*columns)


def _gate(clock: Clock) -> Callable[[bytes], object]:
    gate = Gate(
        LiveReader(80, 24, open_screen, profile(Device.UNIX)),
        profile(Device.UNIX),
        integrate=False,
        nonce=lambda: os.urandom(8).hex().encode(),
        rtt_us=lambda: 1000,
        foresee=lambda line: Outcome.ALLOW,
        started=None,
        t_us=clock.monotonic_us(),
    )
    return lambda octets: gate.printed(clock.monotonic_us(), octets)


def _rate(octets: bytes, take: Callable[[bytes], object]) -> float:
    """MiB a second of processor time at which *octets* are taken, the best of five."""
    best = 0.0
    for _ in range(5):
        begun = time.process_time()
        for start in range(0, len(octets), PIECE):
            take(octets[start : start + PIECE])
        best = max(best, len(octets) / (1 << 20) / max(time.process_time() - begun, 1e-9))
    return best
