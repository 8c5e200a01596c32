"""`watchgate policy`: what held in a session, exactly."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from watchgate.cli import evidence
from watchgate.cli.context import Context, verb
from watchgate.cli.output import document, on_one_line, warn
from watchgate.cli.rules_text import as_file
from watchgate.errors import NotFound, RecordingUnreadable
from watchgate.recording.reader import Recording
from watchgate.session.events import Envelope, PolicyFrozen, RulesFrozen, SessionOpened

app = typer.Typer()

Session = Annotated[
    str,
    typer.Option(
        "--session",
        metavar="SESSION",
        help="Its id, a beginning of it, last, or a recording's file.",
    ),
]
Identity = Annotated[
    list[Path] | None,
    typer.Option("--identity", metavar="FILE", help="The auditor's private key; may be repeated."),
]


@dataclass(frozen=True, slots=True)
class Held:
    """What a recording says of the policy of its session."""

    digest: str
    policy: dict[str, Any]
    rules: tuple[dict[str, Any], ...]
    problems: tuple[str, ...]
    """Why the recording contradicts itself; empty when all digests are right."""


@verb(app, "show")
def show(context: Context, session: Session, identity: Identity = None) -> None:
    """Show the policy that a session ran under, as its recording has it, and check its digests."""
    found = evidence.find(context, session)
    with evidence.open_recording(context, found, identity, "policy") as recording:
        held = read(recording)
    if context.json:
        document(
            {
                "session": recording.header.session,
                "digest": held.digest,
                "policy": held.policy,
                "rules": held.rules,
                "intact": not held.problems,
                "problems": held.problems,
            }
        )
    else:
        _show(held)
    for problem in held.problems:
        warn(problem)
    if held.problems:
        raise typer.Exit(1)


def read(recording: Recording) -> Held:
    """The policy in *recording*; raises NotFound when it has none, RecordingUnreadable."""
    frozen: PolicyFrozen | None = None
    rules: list[dict[str, Any]] = []
    for said in recording.events():
        match said:
            case Envelope(event=PolicyFrozen() as event) if frozen is None:
                frozen = event
            case Envelope(event=RulesFrozen() as event):
                rules += _rules(said, event.rules)
            case Envelope(event=SessionOpened()) if frozen is not None:
                # Everything that was frozen stands before it.
                break
            case _:
                pass
    if frozen is None:
        raise NotFound(
            "the recording says of no policy: its beginning is missing, see `watchgate session verify`",
            code="policy.not-found",
        )
    header = recording.header.policy_digest
    return Held(frozen.digest, frozen.policy, tuple(rules), tuple(_wrong(frozen, rules, header)))


def _rules(said: Envelope, listed: object) -> list[dict[str, Any]]:
    """What an event lists: it is read back with whatever values stand in it."""
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise RecordingUnreadable(
            f"event {said.seq} of the recording lists rules that are none",
            code="recording.event",
        )
    return listed


def _wrong(frozen: PolicyFrozen, rules: list[dict[str, Any]], header: str) -> list[str]:
    """What does not agree: the policy with its digest, the digest with the header's, the rules with theirs."""
    found = []
    if _digest(frozen.policy) != frozen.digest:
        found.append("the policy in the recording is not the one that its digest is of")
    if header != frozen.digest:
        found.append("the digest of the policy is not the one in the recording's header")
    digests = [_digest(rule, ascii_only=False) for rule in rules]
    together = hashlib.sha256("".join(digests).encode()).hexdigest() if rules else None
    if frozen.policy.get("rules") != together or frozen.policy.get("rules_count", 0) != len(rules):
        found.append(
            f"the rules in the recording ({len(rules)}) are not those of the policy "
            f"({frozen.policy.get('rules_count', 0)})"
        )
    return found


def _digest(value: dict[str, Any], *, ascii_only: bool = True) -> str:
    """As Policy.digest has it; the documents of rules have letters of all kinds as they are."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=ascii_only, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _show(held: Held) -> None:
    typer.echo(f"policy  {held.digest}")
    for name, value in held.policy.items():
        said = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        typer.echo(f"  {name:<22}  {on_one_line(said)}")
    if not held.rules:
        typer.echo("\nno rules: every command was allowed")
        return
    typer.echo("")
    typer.echo(as_file(held.rules), nl=False)
