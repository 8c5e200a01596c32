"""Watches one terminal for the password prompts of elevations, and says which may be answered.

Sans-IO: it is told what happens with the time in monotonic microseconds, and tells what comes of it. A secret
never passes it.

    started ──▶ watching ──prompt──▶ settling ──silence──▶ asked ──answered──▶ answered ──finished──▶ idle
                   └── typed, printed something else, too late ──▶ hands off ──────────────────────────┘

After a wrong answer it is off for good. The caller answers an `Ask` only while it is `waiting`.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping, Sequence
from enum import Enum, auto

from watchgate.policy.reading import Reading
from watchgate.terminal.elevation import company, output, prompts, requests
from watchgate.terminal.elevation.outcomes import Ask, Outcome, Proof, Rejected, Withheld
from watchgate.terminal.elevation.requests import Request

SETTLE_US = 250_000
"""So long nothing may follow a prompt before it counts; one that really asks waits for ever."""

PATIENCE_US = 30_000_000
"""So long an elevation may take until it asks (it may look up names first)."""

MOST_BEFORE = 4096
"""Octets between the line and the end of the prompt."""

MOST_AFTER = 2048
"""Octets behind an answer in which it can still turn out to be wrong."""


_USER = re.compile(r"[\w.$\\-]{1,64}")


class _State(Enum):
    IDLE = auto()
    WATCHING = auto()
    SETTLING = auto()
    ASKED = auto()
    ANSWERED = auto()
    HANDS_OFF = auto()


class Elevation:
    """The elevations of one session's terminal."""

    def __init__(
        self,
        device: str,
        *,
        enabled: bool,
        account: str,
        whose: str = "",
        settle_us: int = SETTLE_US,
    ) -> None:
        """*account* is the session's; *whose* password there is to give: `""` is the same, else an account's."""
        self._device = device
        self._account = account
        self._whose = whose or account
        self._settle_us = settle_us
        # Nothing asks root for a password before it becomes something less.
        self._enabled = enabled and not (device == "unix" and account == "root")
        self._reset(_State.IDLE)

    def _reset(self, state: _State) -> None:
        self._state = state
        self._request: Request | None = None
        self._refused = ""
        self._token: bytes | None = None
        self._started_us = 0
        self._due: int | None = None
        self._text = bytearray()
        self._ask: Ask | None = None

    # --- what the caller asks --------------------------------------------------------------------

    @property
    def enabled(self) -> bool:
        """Whether prompts are answered at all, still."""
        return self._enabled

    @property
    def watching(self) -> bool:
        """Whether it needs to be told what is printed."""
        return self._state not in (_State.IDLE, _State.HANDS_OFF)

    @property
    def waiting(self) -> Ask | None:
        """The question that may be answered now; None when there is none, or none any more."""
        return self._ask if self._state is _State.ASKED else None

    @property
    def due(self) -> int | None:
        """When `expire` should be called."""
        return self._due

    def wants_token(self, readings: Sequence[Reading], resolved: Mapping[str, str] | None) -> bool:
        """Whether the shell shall give sudo a prompt with a mark for this line, before it runs."""
        if not self._enabled or self._device != "unix" or resolved is None:
            return False
        request = requests.of(readings, resolved)
        return request is not None and request.marked

    # --- what happens ----------------------------------------------------------------------------

    def started(
        self,
        t_us: int,
        readings: Sequence[Reading],
        *,
        exact: bool,
        resolved: Mapping[str, str] | None,
        token: bytes | None,
    ) -> None:
        """A line that was permitted runs now, in the session's own shell.

        *exact* is whether its text is certain to the last octet. *resolved* says which files the names of
        programs are to the shell; None when no shell told. *token* is in the mark that sudo shows as its prompt.
        """
        self._reset(_State.IDLE)
        if not self._enabled:
            return
        request = requests.of(readings, resolved, self._device)
        named = requests.names(readings) if self._device == "unix" else frozenset()
        if request is None and not named:
            return
        if request is None:
            self._refused = _reason_against(named, resolved)
            request = Request(min(named))
        elif not exact:
            self._refused = "its line is not known for certain"
        self._request, self._token, self._started_us = request, token, t_us
        self._state = _State.WATCHING

    def asked(self, t_us: int, token: bytes, user: str = "") -> Outcome | None:
        """A prompt's mark showed; *user* is whose password sudo asks for (`%p`), when the mark says it."""
        request, ours = self._request, self._token
        if request is None or not self.watching:
            return None
        if ours is None or not hmac.compare_digest(token, ours):
            return self._leave("a prompt has a mark that is not that of its line")
        if self._refused:
            return self._leave(self._refused)
        if user and not _USER.fullmatch(user):
            return self._leave("the mark of the prompt names no user")
        match self._state:
            case _State.WATCHING | _State.SETTLING:
                text = f"[sudo] password for {user or self._account}:"
                return self._put(request, user, text, Proof.INTEGRATION)
            case _State.ANSWERED:
                return self._asked_again(request)
            case _:
                return None

    def printed(self, t_us: int, octets: bytes) -> Outcome | None:
        """The target printed something behind the line; marks are already taken out."""
        request = self._request
        if request is None or not octets:
            return None
        match self._state:
            case _State.WATCHING | _State.SETTLING:
                return self._look(t_us, request, octets)
            case _State.ASKED:
                return self._went_on(octets)
            case _State.ANSWERED:
                return self._look_behind(request, octets)
            case _:
                return None

    def expire(self, t_us: int) -> Outcome | None:
        """The moment of `due` has come."""
        if self._due is None or t_us < self._due or self._request is None:
            return None
        self._due = None
        _, last = output.split(_text(self._text))
        user = prompts.asked(last, self._request, self._account)
        if self._state is not _State.SETTLING or user is None:
            return None
        return self._put(self._request, user, last.strip(), Proof.PATTERN)

    def typed(self, t_us: int) -> None:
        """The operator typed something himself: what asks now, he answers."""
        if self._state in (_State.WATCHING, _State.SETTLING, _State.ASKED):
            self._reset(_State.HANDS_OFF)

    def answered(self, t_us: int) -> None:
        """The secret was sent."""
        if self._state is _State.ASKED:
            self._state = _State.ANSWERED
            self._text.clear()

    def withheld(self, t_us: int) -> None:
        """There was no secret to send: the operator answers himself."""
        if self._state is _State.ASKED:
            self._reset(_State.HANDS_OFF)

    def finished(self, t_us: int, status: int | None = None) -> Rejected | None:
        """The shell, or the device, is back at its prompt; *status* is the line's, where the shell told it."""
        ask, text, state = self._ask, _text(self._text), self._state
        self._reset(_State.IDLE)
        if state is not _State.ANSWERED or ask is None or status == 0:
            return None
        return self._reject(ask) if output.is_denial(text, ask.program) else None

    # --- before the answer -----------------------------------------------------------------------

    def _look(self, t_us: int, request: Request, octets: bytes) -> Outcome | None:
        self._due = None
        self._state = _State.WATCHING
        if len(self._text) + len(octets) > MOST_BEFORE or t_us - self._started_us > PATIENCE_US:
            self._reset(_State.HANDS_OFF)
            return None
        self._text += octets
        text = _text(self._text)
        body, last = output.split(text)
        if prompts.asked(last, request, self._account) is None:
            return None
        if reason := self._reason_against(request, body):
            return self._leave(reason)
        self._state = _State.SETTLING
        self._due = t_us + self._settle_us
        return None

    def _reason_against(self, request: Request, body: str) -> str:
        """Why a prompt of the right form is not answered by its form."""
        if self._refused:
            return self._refused
        if self._token is not None:
            return "the prompt has not the mark that its own has"
        if not request.settled:
            return "what it runs could imitate its prompt"
        if not output.comes_before(body, request.program):
            return "something else was printed before the prompt"
        return ""

    def _put(self, request: Request, user: str, prompt: str, proof: Proof) -> Outcome:
        """Ask for the secret, if it is the one that is asked for."""
        account = user or request.user
        if not account and request.program in ("sudo", "doas"):
            account = self._account
        if against := self._mismatch(request, account):
            return self._leave(against)
        self._due = None
        self._state = _State.ASKED
        self._text.clear()
        self._ask = Ask(request.program, account, prompt, proof)
        return self._ask

    def _mismatch(self, request: Request, user: str) -> str:
        """Why the password that there is cannot be the one that is asked for; nothing when it can."""
        if request.program not in ("sudo", "su", "doas") or self._device != "unix" or not user:
            return ""
        fits = user == self._whose
        if request.program != "su" and self._whose not in (self._account, "root"):
            # An account that keeps a password beside the session's key need not have the user's name.
            fits = fits or user == self._account
        if fits:
            return ""
        return f"it asks for the password of {user}, and the grant gives that of {self._whose}"

    def _went_on(self, octets: bytes) -> Outcome | None:
        """Something was printed while the secret was fetched."""
        assert self._ask is not None
        self._text += octets[:MOST_BEFORE]
        marked = self._ask.proof is Proof.INTEGRATION
        body, last = output.split(_text(self._text))
        # Behind its mark sudo still prints the words of its prompt.
        if marked and not body.strip() and len(last) <= prompts.LONGEST:
            return None
        if not marked and not body and not last:
            return None
        return self._leave("something was printed behind the prompt")

    def _leave(self, reason: str) -> Withheld:
        program = self._request.program if self._request is not None else ""
        self._reset(_State.HANDS_OFF)
        return Withheld(program, reason)

    # --- behind the answer -----------------------------------------------------------------------

    def _look_behind(self, request: Request, octets: bytes) -> Outcome | None:
        assert self._ask is not None
        if len(self._text) + len(octets) > MOST_AFTER:
            self._reset(_State.HANDS_OFF)
            return None
        self._text += octets
        body, last = output.split(_text(self._text))
        if self._ask.proof is Proof.INTEGRATION or last.strip() != self._ask.prompt:
            return None
        return self._asked_again(request) if len(body.split("\n")) <= 5 else None

    def _asked_again(self, request: Request) -> Outcome:
        """The same prompt once more: it was wrong, or it is another question in the same words."""
        assert self._ask is not None
        body, last = output.split(_text(self._text))
        said = [
            line
            for line in (*body.split("\n"), "" if self._ask.proof is Proof.PATTERN else last)
            if line.strip() and not prompts.looks_like_one(line)
        ]
        if request.program == "sudo" and not said:
            return self._leave("it asks a second question, which is the operator's to answer")
        return self._reject(self._ask)

    def _reject(self, ask: Ask) -> Rejected:
        self._enabled = False
        self._reset(_State.HANDS_OFF)
        return Rejected(ask.program, ask.account)


def _reason_against(named: frozenset[str], resolved: Mapping[str, str] | None) -> str:
    """Why a line that names elevating programs is not answered at all."""
    for name in sorted(named):
        if resolved is not None and not company.trusted(name, resolved):
            return (
                f"the shell takes {name} for an alias, a function, or a program that is not root's"
            )
    return "something else in its line could read what is typed"


def _text(octets: bytearray) -> str:
    return octets.decode("utf-8", "replace")
