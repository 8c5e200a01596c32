"""Answers an elevation's password prompt from the vault: what is asked, fetched, sent and recorded.

Whether a prompt is the elevation's own is decided in terminal.elevation; nothing here looks at prompts.
"""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Sequence

from watchgate.errors import ConfigurationError
from watchgate.policy.commands import Place, Source
from watchgate.policy.reading import Reading
from watchgate.protocols.ssh.effects import Commit, Effect, FetchSecret, Note, Resume, SendSecret
from watchgate.protocols.ssh.judging import Judge
from watchgate.secret import Secret
from watchgate.session.events import SecretInjected, SecretRejected, SecretWithheld
from watchgate.session.model import Policy
from watchgate.terminal.elevation.elevation import Elevation
from watchgate.terminal.elevation.keystrokes import keystrokes
from watchgate.terminal.elevation.outcomes import Ask, Outcome, Rejected, Withheld
from watchgate.terminal.elevation.scrubbing import Scrubber
from watchgate.terminal.gate.acts import AskedLine

SCRUBBED_US = 30_000_000
"""How long after it was sent a password is taken out of what the target prints."""

HELD_US = 50_000
"""How long octets that may begin a password are held back when nothing follows."""

TOKEN_OCTETS = 16


class Elevating:
    """The elevations of one terminal."""

    def __init__(self, number: int, policy: Policy, judge: Judge) -> None:
        self._number = number
        self._judge = judge
        self._account = policy.elevation
        self._device = str(policy.settings.device)
        self._elevation = Elevation(
            self._device,
            enabled=policy.elevation is not None,
            account=judge.account,
            whose=policy.elevation or "",
        )
        self._tickets = itertools.count(1)
        self._asked: tuple[int, Ask] | None = None
        self._seq: int | None = None
        self._scrubber: Scrubber | None = None
        self._scrubbed_until_us = 0
        self._scrubbed_us = 0

    # --- what happens --------------------------------------------------------------------------

    def started(
        self, t_us: int, line: AskedLine, readings: Sequence[Reading], seq: int
    ) -> bytes | None:
        """A command was permitted and runs now; the token that its own prompt is to say, if any."""
        # A shell in a shell may run under a program that reads everything that is typed.
        if self._account is None or line.depth or line.place not in (Place.SHELL, Place.DEVICE):
            return None
        self._seq = seq
        told = line.source is Source.INTEGRATION
        resolved = line.resolved if told else None
        token = None
        if told and self._elevation.wants_token(readings, resolved):
            token = secrets.token_hex(TOKEN_OCTETS).encode()
        certain = line.exact or line.certain
        self._elevation.started(t_us, readings, exact=certain, resolved=resolved, token=token)
        return token

    def prompted(self, t_us: int, token: bytes, user: str) -> list[Effect]:
        """A prompt said this token."""
        return self._came_to(self._elevation.asked(t_us, token, user))

    def printed(self, t_us: int, octets: bytes) -> list[Effect]:
        """The target printed."""
        return self._came_to(self._elevation.printed(t_us, octets))

    def typed(self, t_us: int) -> None:
        """The operator typed something himself."""
        self._elevation.typed(t_us)
        self._asked = None

    def finished(self, t_us: int, status: int | None) -> list[Effect]:
        """The shell is back at its prompt."""
        self._asked = None
        return self._came_to(self._elevation.finished(t_us, status))

    @property
    def due(self) -> int | None:
        """When `expire` or `rest` has something to do."""
        holds = self._scrubber is not None and self._scrubber.holds
        dues = (self._elevation.due, self._scrubbed_us + HELD_US if holds else None)
        return min((due for due in dues if due is not None), default=None)

    def expire(self, t_us: int) -> list[Effect]:
        """The moment of `due` has come."""
        return self._came_to(self._elevation.expire(t_us))

    # --- the secret ----------------------------------------------------------------------------

    def fetched(self, t_us: int, ticket: int, secret: Secret | None) -> list[Effect]:
        """The vault's answer; it is used only while the same prompt still stands."""
        if self._asked is None or self._asked[0] != ticket:
            return []
        ask = self._asked[1]
        self._asked = None
        if self._elevation.waiting is not ask:
            return []
        if secret is None or not secret:
            self._elevation.withheld(t_us)
            reason = "the vault has no password for it"
            return [Note(SecretWithheld(self._number, ask.program, reason))]
        try:
            keys = keystrokes(secret, self._device)
        except ConfigurationError as error:
            self._elevation.withheld(t_us)
            return [Note(SecretWithheld(self._number, ask.program, str(error)))]
        injected = SecretInjected(
            channel=self._number,
            program=ask.program,
            account=self._account or ask.account,
            command_seq=self._seq,
            prompt=ask.prompt,
            proof=str(ask.proof),
        )
        ticket = self._judge.after(lambda: self._inject(t_us, ask, secret, keys))
        return [Note(injected), Commit(), Resume(ticket)]

    def _inject(self, t_us: int, ask: Ask, secret: Secret, keys: Secret) -> list[Effect]:
        """It is in the file that the secret is sent: send it, if the same prompt still stands."""
        if self._elevation.waiting is not ask:
            reason = "the prompt was gone before it could be answered"
            return [Note(SecretWithheld(self._number, ask.program, reason))]
        self._scrubber = Scrubber(secret)
        self._scrubbed_until_us = t_us + SCRUBBED_US
        self._elevation.answered(t_us)
        return [SendSecret(keys)]

    def scrubbed(self, t_us: int, octets: bytes) -> bytes:
        """What the target printed, without a password that was just sent to it."""
        scrubber = self._scrubber
        if scrubber is None:
            return octets
        self._scrubbed_us = t_us
        if t_us <= self._scrubbed_until_us and not scrubber.over:
            return scrubber.feed(octets)
        self._scrubber = None
        return scrubber.flush() + octets

    def rest(self, t_us: int) -> bytes:
        """What was held back because it may have begun the password, when nothing followed in time."""
        scrubber = self._scrubber
        if scrubber is None or not scrubber.holds or t_us < self._scrubbed_us + HELD_US:
            return b""
        return scrubber.flush()

    def _came_to(self, outcome: Outcome | None) -> list[Effect]:
        match outcome:
            case Ask() as ask:
                ticket = next(self._tickets)
                self._asked = (ticket, ask)
                return [FetchSecret(ticket, self._account or "")]
            case Withheld(program, reason):
                return [Note(SecretWithheld(self._number, program, reason))]
            case Rejected(program, account):
                return [Note(SecretRejected(self._number, program, self._account or account))]
            case None:
                return []
