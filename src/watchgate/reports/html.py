"""A report as one HTML file: no script, nothing loaded, in light and in dark, and on paper.

The policy in its head forbids everything but its own style sheet, which it names by digest: even text
that got past the escaping could neither run nor call home.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from html import escape as escape_markup

from watchgate.reports import words
from watchgate.reports.activity import Action, Activity, Work
from watchgate.reports.style import STYLE


def render(activity: Activity) -> str:
    """The whole report."""
    return "\n".join(_lines(activity)) + "\n"


def escape(text: str) -> str:
    """*text* as itself, in an element or an attribute."""
    return escape_markup(words.visible(text), quote=True)


def _lines(activity: Activity) -> Iterator[str]:
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    title = escape(words.title(activity))
    yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield '<meta name="color-scheme" content="light dark">'
    yield '<meta name="referrer" content="no-referrer">'
    yield f"<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>"
    yield f"<header>\n<h1>{title}</h1>\n<p>{escape(words.span(activity))}</p>\n</header>\n<main>"
    yield from _totals(activity)
    yield "<h2>Sessions</h2>"
    if not activity.sessions:
        yield "<p>There was none.</p>"
    for work in activity.sessions:
        yield from _work(activity, work)
    yield "<h2>Refused attempts</h2>"
    yield from _refusals(activity)
    yield "</main>\n</body>\n</html>"


def _totals(activity: Activity) -> Iterator[str]:
    yield '<dl class="totals">'
    for name, value in words.totals(activity):
        yield f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>"
    yield "</dl>"


def _work(activity: Activity, work: Work) -> Iterator[str]:
    row = work.session
    began = words.moment(row.started_at_us, activity.zone)
    yield f'<article id="{escape(row.id)}">'
    yield f"<h3>{escape(f'{row.operator} as {row.account}@{row.target}')} <small>{began}</small></h3>"
    yield "<details open>\n<summary>Who, when, and the evidence</summary>\n<dl>"
    for name, value in words.facts(activity, work):
        yield f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>"
    yield "</dl>\n</details>"
    if work.left_out:
        yield f"<p>{work.left_out} more actions do not hold the text that was asked for.</p>"
    if work.actions:
        yield from _actions(activity, work)
    else:
        yield "<p>Nothing is known to have been done.</p>"
    yield "</article>"


def _actions(activity: Activity, work: Work) -> Iterator[str]:
    yield '<table>\n<thead><tr><th scope="col">When</th><th scope="col">What</th>'
    yield '<th scope="col">Command, path or destination</th><th scope="col">Outcome</th></tr></thead>'
    yield "<tbody>"
    for action in work.actions:
        yield _action(activity, work, action)
    yield "</tbody>\n</table>"


def _action(activity: Activity, work: Work, action: Action) -> str:
    mark = ' <span class="inferred">inferred</span>' if action.inferred else ""
    moved = ", ".join(filter(None, (action.outcome, words.octets(action.size))))
    digest = f"<br><code>SHA-256 {escape(action.digest)}</code>" if action.digest else ""
    return (
        f"<tr><td>{escape(words.moment(action.at_us, activity.zone))}</td>"
        f"<td>{escape(f'{action.what} {action.how}')}{mark}</td>"
        f"<td><code>{escape(action.text)}</code>"
        f'<br><code class="replay">{escape(words.play(work, action))}</code></td>'
        f"<td>{escape(moved)}{digest}</td></tr>"
    )


def _refusals(activity: Activity) -> Iterator[str]:
    if not activity.refusals:
        yield "<p>There was none.</p>"
        return
    yield '<table>\n<thead><tr><th scope="col">When</th><th scope="col">Operator</th>'
    yield '<th scope="col">Where</th><th scope="col">From</th><th scope="col">Why</th></tr></thead>'
    yield "<tbody>"
    for one in activity.refusals:
        why = f"{one.reason} ({one.attempts} attempts)" if one.attempts > 1 else one.reason
        cells = (words.moment(one.at_us, activity.zone), one.operator, one.where, one.client, why)
        yield "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"
    yield "</tbody>\n</table>"
    if more := words.more_refused(activity):
        yield f"<p>{more}</p>"
