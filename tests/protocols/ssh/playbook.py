"""Playing a channel's dialogue from a text: `>>` is heard, `<<` is said; `replay(script) == script`.

grant shell exec            what the session's grant permits; with `rules`, under the rules of judged.py
>> client exec "uname -a"   a request of the client's
>> answered exec yes        the target's answer to what was asked of it
>> target "Linux\\n"         octets (`client …`, `target …`, `stderr …`)
>> wait 0.7                 time passes; what is due is decided
>> eof client, close target, told exit-status 3
>> leave                    the client closes its side; the target still has a say
>> bereft                   the target's connection is lost
>> dismiss "enough"         the session is ended from outside
"""

from __future__ import annotations

import ast
import json
import shlex

from judged import NO_RULES, RULE_SET, ground, policy

from watchgate.clock import ManualClock
from watchgate.protocols.ssh import wire
from watchgate.protocols.ssh.dialogue import ChannelDialogue
from watchgate.protocols.ssh.effects import (
    Answer,
    Ask,
    Commit,
    Effect,
    EndSession,
    Eof,
    FetchSecret,
    Flow,
    LockOperator,
    Note,
    NoteCommand,
    Record,
    Resume,
    Say,
    Seek,
    Send,
    SendSecret,
    Shut,
    Side,
    Tell,
    Withdraw,
)
from watchgate.session.events import CommandRequested
from watchgate.session.model import Capability, TargetSettings
from watchgate.session.ports import ApprovalAnswer

TERMINAL = wire.string(b"xterm") + b"\0\0\0\x50\0\0\0\x18" + b"\0" * 8 + wire.string(b"\0")


def replay(script: str) -> str:
    """The script as the dialogue plays it."""
    player = Player()
    played: list[str] = []
    for row in script.splitlines():
        if row.startswith("<<"):
            continue
        played.append(row)
        if row.startswith(">>"):
            played.extend(f"<< {said}" for said in player.hear(row[2:].strip()))
        elif row.startswith("grant"):
            player.grant(row.split()[1:])
    return "\n".join(played) + "\n"


class Player:
    """One dialogue with a clock that a script moves."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.grant([])

    def grant(self, names: list[str]) -> None:
        rules = RULE_SET if "rules" in names else NO_RULES
        granted = frozenset(Capability(name) for name in names if name != "rules")
        held = policy(rules, TargetSettings(), granted)
        self.dialogue = ChannelDialogue(1, held, self.clock, ground(held, self.clock))

    def hear(self, text: str) -> list[str]:
        return [said(effect) for effect in self._play(text)]

    def _play(self, text: str) -> list[Effect]:
        words = shlex.split(text, posix=False)
        dialogue = self.dialogue
        match words:
            case ["client", "octets", data]:
                return dialogue.heard(Side.CLIENT, octets(data), None)
            case ["target", data]:
                return dialogue.heard(Side.TARGET, octets(data), None)
            case ["stderr", data]:
                return dialogue.heard(Side.TARGET, octets(data), 1)
            case ["client", kind, *values]:
                return self._noted(dialogue.requested(kind, payload(kind, values)))
            case ["answered", kind, answer]:
                return dialogue.answered(kind, answer == "yes")
            case ["told", kind, value]:
                return dialogue.told(kind, payload(kind, [value]))
            case ["eof", side]:
                return dialogue.ended(Side(side))
            case ["close", side]:
                return dialogue.closed(Side(side))
            case ["leave"]:
                return dialogue.left()
            case ["bereft"]:
                return dialogue.bereft()
            case ["dismiss", reason]:
                return dialogue.dismissed(octets(reason).decode())
            case ["unreachable", reason]:
                return dialogue.unreachable(octets(reason).decode())
            case ["resume", ticket]:
                return dialogue.resumed(int(ticket))
            case ["asked", ticket, whom]:
                return dialogue.asked(int(ticket), "a1", whom)
            case ["approved", ticket, by]:
                return self._noted(dialogue.approved(int(ticket), ApprovalAnswer("a1", True, by)))
            case ["wait", seconds]:
                self.clock.advance(float(seconds))
                return dialogue.expire()
            case _:
                raise AssertionError(f"not a line of a playbook: {text}")

    def _noted(self, effects: list[Effect]) -> list[Effect]:
        for effect in effects:
            if isinstance(effect, NoteCommand) or (
                isinstance(effect, Note) and isinstance(effect.event, CommandRequested)
            ):
                self.dialogue.command_recorded(7)
        return effects


def octets(literal: str) -> bytes:
    value = ast.literal_eval("b" + literal)
    assert isinstance(value, bytes)
    return value


def payload(kind: str, values: list[str]) -> bytes:
    """The wire form of what a script says in words."""
    match kind, values:
        case "pty-req", []:
            return TERMINAL
        case "window-change", [columns, rows]:
            size = int(columns).to_bytes(4, "big") + int(rows).to_bytes(4, "big")
            return size + b"\0" * 8
        case (("exec" | "subsystem" | "signal"), [value]):
            return wire.string(octets(value))
        case "env", [name, value]:
            return wire.string(octets(name)) + wire.string(octets(value))
        case "exit-status", [status]:
            return int(status).to_bytes(4, "big")
        case "exit-signal", [name]:
            return wire.string(octets(name)) + b"\0" + wire.string(b"") + wire.string(b"")
        case _, ["raw", literal]:
            return octets(literal)
        case _:
            return b""


def shown(data: bytes) -> str:
    """Octets as a script writes them."""
    text = repr(data)[1:]
    return '"' + text[1:-1].replace('"', '\\"') + '"' if text[0] == "'" else text


def said(effect: Effect) -> str:
    match effect:
        case Record(kind, data):
            return f"record {kind.name.lower()} {shown(data)}"
        case Note(event):
            # The digest of a policy is of all its rules, and tells nothing here.
            values = {
                key: value
                for key, value in event.data().items()
                if value not in (None, "") and key != "policy"
            }
            return f"note {event.kind} {json.dumps(values)}"
        case NoteCommand(decision):
            return f"note command {decision.verdict.outcome} {json.dumps(decision.command.text)}"
        case Resume(ticket):
            return f"resume {ticket}"
        case Seek(ticket, request):
            return f"seek {ticket} {', '.join(request.rules)}"
        case Withdraw(ticket):
            return f"withdraw {ticket}"
        case EndSession(ending):
            return f"end {ending.reason} {ending.detail}"
        case LockOperator(lock):
            return f"lock {lock.operator} {lock.rule}"
        case FetchSecret(ticket, account):
            return f"fetch {ticket} {account}"
        case SendSecret():
            return "send secret"
        case Commit():
            return "commit"
        case Send(side, data, stream):
            return f"send {side.value}{' stderr' if stream else ''} {shown(data)}"
        case Tell(side, kind, data):
            return f"tell {side.value} {kind} {shown(data)}"
        case Ask(kind, data):
            return f"ask {kind} {shown(data)}"
        case Answer(accepted):
            return f"answer {'yes' if accepted else 'no'}"
        case Say(text):
            return f"say {text}"
        case Flow():
            return "flow"
        case Eof(side):
            return f"eof {side.value}"
        case Shut(side):
            return f"shut {side.value}"
