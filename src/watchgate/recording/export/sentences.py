"""An event as one line of a transcript."""

from __future__ import annotations

import json

from watchgate.session.events import (
    ApprovalAnswered,
    ApprovalAsked,
    ApprovalClosed,
    ChannelClosed,
    ChannelOpened,
    CommandDecided,
    CommandFinished,
    CommandRequested,
    Event,
    FileChanged,
    FileMoved,
    InputDropped,
    InputRedacted,
    IntegrationMissing,
    IntegrationSet,
    IntegrationTampered,
    ReaderFailed,
    RecordingGap,
    RulesFrozen,
    SecretInjected,
    SecretRejected,
    SecretWithheld,
    UnknownEvent,
    octets,
)
from watchgate.terminal.lines import safe, safe_octets


def sentence(event: Event) -> str:
    """What happened, safe to print; an event without words of its own is shown by its fields."""
    try:
        return safe(_words(event))
    except (AttributeError, TypeError, ValueError):
        # An event is read back with whatever values stand in it: text where a number belongs.
        return safe(_by_fields(event))


def _words(event: Event) -> str:
    match event:
        case CommandRequested():
            return f"command{_of_program(event)}: {shown(event.command)}"
        case CommandDecided():
            return _decided(event)
        case CommandFinished():
            took = f"after {event.duration_us / 1e6:.3f} s"
            return f"command ended {took}{_exit(event.exit_status, event.exit_signal)}"
        case ChannelOpened():
            return f"channel {event.channel} opened: {shown(event.what)}{_terminal(event)}"
        case ChannelClosed():
            return f"channel {event.channel} closed{_exit(event.exit_status, event.exit_signal)}"
        case FileMoved():
            return _file_moved(event)
        case FileChanged():
            to = f" to {shown(event.to)}" if event.to is not None else ""
            failed = "" if event.succeeded else " (failed)"
            return f"file: {shown(event.operation)} {shown(event.path)}{to}{failed}"
        case InputRedacted():
            return "input that the terminal did not echo (redacted)"
        case RecordingGap():
            gap = f"{event.octets} octets, {event.duration_us / 1e6:.3f} s"
            return f"GAP: evidence is missing here ({gap}): {shown(event.reason)}"
        case _:
            return _of_rules(event) or _of_secrets(event) or _by_fields(event)


def _of_rules(event: Event) -> str:
    """What concerns the rules and how commands are known."""
    match event:
        case RulesFrozen():
            return f"rules of this session: {', '.join(_names(event)) or 'none'}"
        case InputDropped():
            dropped = f"{event.lines} lines, {event.octets} octets"
            return f"input dropped ({dropped}): {shown(event.reason)}"
        case IntegrationSet():
            return f"the shell tells its commands: {shown(event.shell)} {shown(event.version)}"
        case IntegrationMissing():
            refused = "; it is refused" if event.refused else ""
            return f"the shell does not tell its commands: {shown(event.reason)}{refused}"
        case IntegrationTampered():
            ended = "; the session is ended" if event.ended else ""
            return f"TAMPERING ({shown(event.severity)}): {shown(event.what)}{ended}"
        case ReaderFailed():
            return f"the picture of the terminal was lost: {shown(event.reason)}"
        case ApprovalAsked():
            return f"approval asked for: {shown(event.command)}"
        case ApprovalAnswered():
            word = "approved" if event.approved else "refused"
            reason = f" ({shown(event.reason)})" if event.reason else ""
            return f"{word} by {shown(event.by)}{reason}: {shown(event.command)}"
        case ApprovalClosed():
            return f"not approved ({shown(event.why)}): {shown(event.command)}"
        case _:
            return ""


def _of_secrets(event: Event) -> str:
    match event:
        case SecretInjected():
            whose = f"{shown(event.program)} as {shown(event.account)}"
            return f"the gateway answered a password prompt from the vault: {whose}"
        case SecretWithheld():
            return (
                f"a password prompt was not answered: {shown(event.program)}, {shown(event.reason)}"
            )
        case SecretRejected():
            return f"the password from the vault was wrong: {shown(event.program)} as {shown(event.account)}"
        case _:
            return ""


_OUTCOMES = {
    "allow": "allowed",
    "block": "BLOCKED",
    "interrupt": "BLOCKED (interrupting rule)",
    "force": "BLOCKED (not on the list)",
    "approve": "waits for an approval",
}


def _decided(event: CommandDecided) -> str:
    outcome = _OUTCOMES.get(event.outcome) or shown(event.outcome)
    rules = f" by {', '.join(map(shown, event.rules))}" if event.rules else ""
    severity = f", severity {shown(event.severity)}" if event.severity else ""
    left = "" if event.tries_left is None else f", {event.tries_left} tries left"
    approval = f", under approval {shown(event.approval)}" if event.approval else ""
    shadows = f" (shadow: {', '.join(map(shown, event.shadows))})" if event.shadows else ""
    normalized = "; ".join(map(shown, event.normalized))
    return f"verdict: {outcome}{rules}{severity}{left}{approval}{shadows}: {normalized}"


def _of_program(event: CommandRequested) -> str:
    inferred = "" if event.confidence == "exact" else ", inferred"
    where = f" in {shown(event.program)}" if event.program else ""
    return f"{where}{inferred}"


def _names(event: RulesFrozen) -> list[str]:
    return [shown(str(rule.get("name", "?"))) for rule in event.rules]


def _file_moved(event: FileMoved) -> str:
    digest = f", SHA-256 {event.digest}" if event.digest else ""
    broken = "" if event.complete else ", incomplete"
    note = f", {shown(event.note)}" if event.note else ""
    moved = f"{shown(event.direction)} {shown(event.path)}"
    return f"file: {moved} ({event.size} octets{digest}{broken}{note})"


def _terminal(event: ChannelOpened) -> str:
    if event.terminal is None:
        return ", no terminal"
    return f", terminal {shown(event.terminal)} {event.columns}x{event.rows}"


def _exit(status: int | None, name: str | None) -> str:
    if name is not None:
        return f", killed by signal {shown(name)}"
    return "" if status is None else f", exit status {status}"


def _by_fields(event: Event) -> str:
    name = event.name if isinstance(event, UnknownEvent) else event.kind
    said = ((key, value) for key, value in event.data().items() if value is not None)
    values = (f"{shown(key)}={shown(_said(value))}" for key, value in said)
    return " ".join((shown(name), *values))


def _said(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)


def shown(text: str) -> str:
    """Text off a wire, safe to print."""
    return safe_octets(octets(text))
