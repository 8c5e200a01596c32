"""A report as comma-separated values: one row an action, the session's facts in each."""

from __future__ import annotations

from collections.abc import Iterator

from watchgate.clock import iso
from watchgate.reports import csv, words
from watchgate.reports.activity import Action, Activity, Refusal, Work

HEADINGS = (
    *("time", "time_utc", "session", "operator", "client", "account", "target", "grant"),
    *("what", "how", "text", "outcome", "certainty", "octets", "sha256"),
    *("offset", "replay", "recording", "recording_file", "recording_sha256", "verification"),
)


def render(activity: Activity) -> str:
    """The whole report: begins and ends of sessions, actions, refusals, in the order of time."""
    rows = [row for work in activity.sessions for row in _work(activity, work)]
    rows += [_refusal(activity, one) for one in activity.refusals]
    if more := words.more_refused(activity):
        end = activity.question.until_us
        rows.append(_refusal(activity, Refusal(end, "", "", "", more, activity.more_refused)))
    # A stable sort on the moment alone: what happened at once stays as it was told.
    return csv.text(HEADINGS, [row for _, row in sorted(rows, key=lambda one: one[0])])


_Row = tuple[int, tuple[object, ...]]


def _work(activity: Activity, work: Work) -> Iterator[_Row]:
    row = work.session
    yield _row(activity, work, row.started_at_us, "session began", "", row.protocol)
    for action in work.actions:
        yield _action(activity, work, action)
    if row.ended_at_us is not None and not activity.question.matching:
        why = " ".join(filter(None, (row.reason, row.detail and f"({row.detail})")))
        yield _row(activity, work, row.ended_at_us, "session ended", row.ended_by or "", why)


def _row(activity: Activity, work: Work, at_us: int, what: str, how: str, text: str) -> _Row:
    offset = at_us - work.session.started_at_us
    tail = (what, how, words.visible(text), "", "", None, None, words.length(offset), "")
    return at_us, (*_head(activity, work, at_us), *tail, *_proof(work))


def _action(activity: Activity, work: Work, action: Action) -> _Row:
    done = (
        *(str(action.what), action.how, words.visible(action.text)),
        *(words.visible(action.outcome), words.certainty(action), action.size, action.digest),
        *(words.length(max(0, action.offset_us)), words.play(work, action)),
    )
    return action.at_us, (*_head(activity, work, action.at_us), *done, *_proof(work))


def _head(activity: Activity, work: Work, at_us: int) -> tuple[object, ...]:
    row = work.session
    return (
        *(words.moment(at_us, activity.zone), iso(at_us), row.id, row.operator, row.client),
        *(row.account, row.target, work.grant),
    )


def _proof(work: Work) -> tuple[object, ...]:
    return (work.session.recording, work.proof.path, work.proof.digest, work.proof.state)


def _refusal(activity: Activity, one: Refusal) -> _Row:
    account, _, target = one.where.rpartition("@")
    head = (words.moment(one.at_us, activity.zone), iso(one.at_us), "", one.operator, one.client)
    what = ("refused", f"{one.attempts} attempts" if one.attempts > 1 else "")
    empty = (None,) * 10
    row = (*head, account, target, "", *what, words.visible(one.reason), *empty)
    return one.at_us, row
