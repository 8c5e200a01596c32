"""What the forms of a report have in common: how moments, lengths and hostile text are written."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo

from watchgate.reports.activity import Action, Activity, Work

_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def moment(at_us: int, zone: tzinfo) -> str:
    """`2026-11-21 09:30:00 +01:00`: the clock on the wall, and what it is ahead of UTC."""
    at = (_EPOCH + timedelta(microseconds=at_us)).astimezone(zone)
    text = at.isoformat(" ", "seconds")
    return f"{text[:19]} {text[19:]}"


def zone_name(zone: tzinfo) -> str:
    """`Europe/Berlin`, `UTC`."""
    return str(zone)


def length(microseconds: int) -> str:
    """`0:03:07`: hours, minutes and seconds."""
    minutes, seconds = divmod(microseconds // 1_000_000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"


def octets(number: int | None) -> str:
    """`1,234 B`: exact, for who compares."""
    return "" if number is None else f"{number:,} B"


def visible(text: str) -> str:
    """*text* with everything that draws nothing, or elsewhere, as an escape; lines stay lines."""
    if text.isprintable():
        return text
    return "".join(
        one if one.isprintable() or one == "\n" else one.encode("unicode_escape").decode()
        for one in text
    )


def on_one_line(text: str) -> str:
    """As `visible`, with line breaks as escapes too."""
    return visible(text).replace("\n", "\\n")


def play(work: Work, action: Action | None = None) -> str:
    """The command line that shows the instant, in a shell of the gateway's administrator."""
    line = f"watchgate session play {work.session.id}"
    return line if action is None else f"{line} --at {length(max(0, action.offset_us))}"


def title(activity: Activity) -> str:
    """What the report is about."""
    question = activity.question
    return f"Report on {question.about} {question.subject}"


def span(activity: Activity) -> str:
    """The time that it covers, and the zone in which moments are written."""
    question, zone = activity.question, activity.zone
    times = f"{moment(question.from_us, zone)} to {moment(question.until_us, zone)}"
    matching = f'; only what holds "{question.matching}"' if question.matching else ""
    return f"{times} ({zone_name(zone)}){matching}"


def totals(activity: Activity) -> list[tuple[str, str]]:
    """The report in numbers: what, and how much."""
    sums = activity.totals
    inferred = f" ({sums.inferred} inferred)" if sums.inferred else ""
    proofs = ", ".join(f"{number} {state}" for state, number in sums.proofs.items())
    return [
        ("sessions", f"{sums.sessions} ({length(sums.lasted_us)} in all)"),
        ("commands", f"{sums.commands}{inferred}"),
        ("commands held up", str(sums.held_up)),
        ("commands of high risk", str(sums.high_risk)),
        ("files uploaded", f"{sums.uploads} ({octets(sums.uploaded)})"),
        ("files downloaded", f"{sums.downloads} ({octets(sums.downloaded)})"),
        ("files changed", str(sums.changes)),
        ("forwarded connections", str(sums.forwards)),
        ("refused attempts", str(sums.refused)),
        ("recordings", proofs or "0"),
    ]


def facts(activity: Activity, work: Work) -> list[tuple[str, str]]:
    """A session in lines of name and value."""
    row, proof, zone = work.session, work.proof, activity.zone
    ended = "goes on" if row.ended_at_us is None else moment(row.ended_at_us, zone)
    why = " ".join(filter(None, (row.reason, row.detail and f"({row.detail})")))
    by = f", by {row.ended_by}" if row.ended_by else ""
    gap = [("commands", work.gap)] if work.gap else []
    return [
        ("operator", f"{row.operator} from {row.client}"),
        ("where", f"{row.account}@{row.target} ({row.target_address or 'not reached'})"),
        ("began", moment(row.started_at_us, zone)),
        ("ended", f"{ended}, after {length(work.lasted_us)}"),
        ("ended because", f"{why}{by}" if why else "-"),
        ("by the grant", work.grant),
        ("risk", "-" if row.risk is None else f"{row.risk} of 100 ({row.points} points)"),
        ("key id there", row.key_id or "-"),
        ("recording", row.recording),
        ("file", proof.path),
        ("SHA-256", proof.digest or "-"),
        ("verification", f"{proof.state}: {proof.detail}"),
        ("replay", play(work)),
        *gap,
    ]


def certainty(action: Action) -> str:
    """Whether it is known, or read off the screen."""
    return "inferred" if action.inferred else "exact"


def more_refused(activity: Activity) -> str:
    """The sentence about refused attempts that are not listed; empty when all are."""
    number = activity.more_refused
    return f"{number} more attempts were refused; see watchgate journal list" if number else ""
