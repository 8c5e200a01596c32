"""What the tests of elevations begin with."""

from __future__ import annotations

from collections.abc import Mapping

from watchgate.policy.reading import Reading
from watchgate.terminal.elevation.elevation import Elevation
from watchgate.terminal.elevation.outcomes import Outcome

TOLD = {name: f"/usr/bin/{name}" for name in ("sudo", "su", "doas", "grep", "cat", "tee")}
"""What a shell with hooks says of where programs are."""

TOKEN = b"f00dfeedf00dfeed"
SECOND = 1_000_000


def readings(*lines: str) -> tuple[Reading, ...]:
    """Lines as the rules read them; an elevation looks at their text alone."""
    return tuple(Reading(line) for line in lines)


class Seat:
    """An elevation with a clock that goes on by itself."""

    def __init__(
        self,
        *,
        device: str = "unix",
        account: str = "alice",
        whose: str = "",
        enabled: bool = True,
    ) -> None:
        self.elevation = Elevation(device, enabled=enabled, account=account, whose=whose)
        self.t_us = 5 * SECOND

    def runs(
        self,
        *lines: str,
        exact: bool = True,
        resolved: Mapping[str, str] | None = None,
        token: bytes | None = None,
    ) -> None:
        """A line that was permitted runs."""
        self.t_us += 1000
        self.elevation.started(
            self.t_us, readings(*lines), exact=exact, resolved=resolved, token=token
        )

    def hooked(self, line: str) -> None:
        """A line runs of which the shell told, with a token when it wants one."""
        wanted = self.elevation.wants_token(readings(line), TOLD)
        self.runs(line, resolved=TOLD, token=TOKEN if wanted else None)

    def prints(self, *texts: str | bytes) -> Outcome | None:
        """The target prints; what came of the last chunk that something came of."""
        found = None
        for text in texts:
            self.t_us += 1000
            octets = text.encode() if isinstance(text, str) else text
            found = self.elevation.printed(self.t_us, octets) or found
        return found

    def silence(self, seconds: float = 1.0) -> Outcome | None:
        """Nothing happens for a while."""
        end = self.t_us + round(seconds * SECOND)
        due = self.elevation.due
        self.t_us = end
        if due is None or due > end:
            return None
        return self.elevation.expire(due)

    def asks(self, *texts: str | bytes) -> Outcome | None:
        """The target prints, and then nothing."""
        return self.prints(*texts) or self.silence()

    def shows(self, token: bytes = TOKEN, user: str = "alice") -> Outcome | None:
        """A mark shows."""
        self.t_us += 1000
        return self.elevation.asked(self.t_us, token, user)

    def types(self) -> None:
        """The operator types something."""
        self.t_us += 1000
        self.elevation.typed(self.t_us)

    def answers(self) -> None:
        """The gateway sends the secret."""
        self.t_us += 1000
        self.elevation.answered(self.t_us)

    def ends(self, status: int | None = None) -> Outcome | None:
        """The shell is back at its prompt."""
        self.t_us += 1000
        return self.elevation.finished(self.t_us, status)
