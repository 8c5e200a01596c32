"""What command lines differ in: how a line is cleared, what asks for help, what runs a line, how prompts look.

One profile for each kind of `session.model.Device`. The keys of network devices are those of their manuals
(Cisco IOS "Using the Command-Line Interface", Junos OS "CLI User Guide", Huawei VRP "CLI Overview").
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from watchgate.session.model import Device as Kind

_MORE = re.compile(
    r"\s{0,8}(?:-{2,5} ?\(?more[^)\n]{0,60}\)? ?-{2,5}|-{2,5}\(more(?: \d{1,3}%)?\)-{2,5}|<-{2,5} ?more ?-{2,5}>)[\s\w,:(]{0,60}",
    re.IGNORECASE,
)
_NEVER = re.compile(r"(?!)")


@dataclass(frozen=True, slots=True)
class Device:
    """The command line of one kind of target."""

    kind: Kind
    cancel: bytes
    """Clears the operator's line at its prompt without running it; empty: nothing may be sent."""
    accepting: bytes = b"\r\n"
    """Controls that run the line, whatever stands in it."""
    help_keys: bytes = b""
    """Answered at once, and no part of the line."""
    completing: bytes = b"\t"
    """Keys after which the line is what the other side makes of it."""
    kill_keys: bytes = b"\x15"
    """Clear the line from the cursor to its start."""
    prompt: re.Pattern[str] = _NEVER
    """Prompts that are known before anything was typed behind one."""
    pager: re.Pattern[str] = _NEVER
    """What stands before the cursor while output waits for a key: keys are no command there."""
    sideways: str = ""
    """Marks that a row shows only a part of its line."""
    enabling: frozenset[str] = frozenset()
    """Words after which a password may be asked for, because they raise what the account may do."""
    entering: frozenset[str] = frozenset()
    """Words that change what the lines behind them mean."""
    cancels: dict[str, bytes] = field(default_factory=dict, hash=False)
    """What clears a line within a program, where `cancel` would do more than that."""

    def cancel_in(self, program: str | None) -> bytes:
        """What clears a line that *program* would take; None is the command line itself."""
        return self.cancels.get(program or "", self.cancel)


_UNIX = Device(
    Kind.UNIX,
    cancel=b"\x03",
    # ^O runs the line and shows the next one of the history in bash, ksh and mksh.
    accepting=b"\r\n\x0f",
    sideways="<>",
    enabling=frozenset(("sudo", "su", "doas")),
    # These end, or end what they do, at ^C.
    cancels={
        **dict.fromkeys(("mysql", "mariadb", "sftp", "ftp", "telnet", "bc", "dc"), b"\x05\x15"),
        **dict.fromkeys(("vi", "vim", "nvim", "view", "vimdiff"), b"\x1b"),
    },
)
_CISCO = Device(
    Kind.CISCO,
    cancel=b"\x05\x15",  # ^C would leave the configuration mode
    accepting=b"\r\n\x1a",  # ^Z takes the line that stands there, and then ends the configuration
    help_keys=b"?",
    kill_keys=b"\x15\x18",
    prompt=re.compile(
        r"(?:RP/\d+/\w+/\w+:)?[\w.:/@-]{1,64}(?:\((?:config|cfg|boot|tcl)[\w.:/ -]{0,64}\))*(?:\+>)?[>#]\s?$"
    ),
    pager=_MORE,
    sideways="$",
    enabling=frozenset(("enable", "en", "ena", "enab", "enabl")),
    entering=frozenset(("configure", "conf", "config", "tclsh", "interface")),
)
_JUNIPER = Device(
    Kind.JUNIPER,
    cancel=b"\x05\x15",
    help_keys=b"?",
    completing=b"\t ",  # a blank completes the word before it
    kill_keys=b"\x15\x18",
    prompt=re.compile(r"(?:\{[\w:]{1,40}\})?[\w.-]{1,40}@[\w.:-]{1,80}[>#%]\s?$"),
    pager=_MORE,
    enabling=frozenset(("start", "su")),
    entering=frozenset(("configure", "edit", "start")),
)
_HUAWEI = Device(
    Kind.HUAWEI,
    cancel=b"\x05\x18",  # ^U may be bound to a command of its own
    accepting=b"\r\n\x1a",
    help_keys=b"?",
    kill_keys=b"\x18",
    prompt=re.compile(r"(?:HRP_[MS])?[<\[][~*]?[\w.:/@ -]{1,80}[>\]]\s?$"),
    pager=_MORE,
    sideways="$",
    enabling=frozenset(("super",)),
    entering=frozenset(("system-view", "sys", "interface", "aaa")),
)
_OTHER = Device(
    Kind.OTHER,
    cancel=b"",
    accepting=b"\r\n\x0f\x1a",
    help_keys=b"?",
    completing=b"\t ",
    pager=_MORE,
    sideways="$<>",
    enabling=frozenset(("enable", "super", "sudo", "su")),
    entering=frozenset(("configure", "system-view", "edit")),
)
_PROFILES = {profile.kind: profile for profile in (_UNIX, _CISCO, _JUNIPER, _HUAWEI, _OTHER)}


def profile(kind: Kind) -> Device:
    """The profile of that kind of target."""
    return _PROFILES[kind]
