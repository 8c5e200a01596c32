"""A report as Markdown, as GitHub's flavor has it: headings, lists and tables, hostile text in code spans."""

from __future__ import annotations

import re
from collections.abc import Iterator

from watchgate.reports import words
from watchgate.reports.activity import Action, Activity, Work

# What is markup in the middle of a line; a colon and a dot only where they would make a link or a picture.
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~&@]|:(?=[^\d\s])|(?<=www)\.)")
_TICKS = re.compile(r"`+")


def render(activity: Activity) -> str:
    """The whole report."""
    return "\n".join(_lines(activity)) + "\n"


def _lines(activity: Activity) -> Iterator[str]:
    yield f"# {escape(words.title(activity))}"
    yield f"\n{escape(words.span(activity))}\n"
    yield "| | |\n|---|---|"
    for name, value in words.totals(activity):
        yield f"| {name} | {value} |"
    yield "\n## Sessions"
    if not activity.sessions:
        yield "\nThere was none."
    for work in activity.sessions:
        yield from _work(activity, work)
    yield "\n## Refused attempts"
    yield from _refusals(activity)


def _work(activity: Activity, work: Work) -> Iterator[str]:
    row = work.session
    began = words.moment(row.started_at_us, activity.zone)
    yield f"\n### {began}: {escape(f'{row.operator} as {row.account}@{row.target}')}\n"
    for name, value in words.facts(activity, work):
        yield f"- {name}: {code(value)}"
    if work.left_out:
        yield f"- {work.left_out} more actions do not hold the text that was asked for"
    if not work.actions:
        yield "\nNothing is known to have been done."
        return
    yield "\n| When | What | Command, path or destination | Outcome | Replay |"
    yield "|---|---|---|---|---|"
    for action in work.actions:
        yield _action(activity, work, action)


def _action(activity: Activity, work: Work, action: Action) -> str:
    what = f"{action.what} {action.how}" + (" (inferred)" if action.inferred else "")
    moved = words.octets(action.size)
    digest = f"SHA-256 {code(action.digest)}" if action.digest else ""
    outcome = ", ".join(filter(None, (escape(action.outcome), moved, digest)))
    cells = (
        *(words.moment(action.at_us, activity.zone), what, code(action.text)),
        *(outcome, code(words.play(work, action))),
    )
    return f"| {' | '.join(cells)} |"


def _refusals(activity: Activity) -> Iterator[str]:
    if not activity.refusals:
        yield "\nThere was none."
        return
    yield "\n| When | Operator | Where | From | Why |\n|---|---|---|---|---|"
    for one in activity.refusals:
        why = f"{one.reason} ({one.attempts} attempts)" if one.attempts > 1 else one.reason
        cells = (code(one.operator), code(one.where), code(one.client), escape(why))
        yield f"| {words.moment(one.at_us, activity.zone)} | {' | '.join(cells)} |"
    if more := words.more_refused(activity):
        yield f"\n{more}"


def escape(text: str) -> str:
    """*text* as itself: nothing in it is markup."""
    return _SPECIAL.sub(r"\\\1", words.on_one_line(text))


def code(text: str) -> str:
    """*text* in a code span, with as many backticks as it takes; a bar would end a table's cell."""
    plain = words.on_one_line(text)
    if not plain.strip():
        return "–"
    fence = "`" * (1 + max(map(len, _TICKS.findall(plain)), default=0))
    pad = " " if plain[0] in "` " or plain[-1] in "` " else ""
    return f"{fence}{pad}{plain}{pad}{fence}".replace("|", "\\|")
