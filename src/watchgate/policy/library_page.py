"""The reference of the ready rules, made of the rules themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from watchgate.policy.examples import Example
from watchgate.policy.library import Ready, library
from watchgate.policy.rules import Rule

MOST_SHOWN = 3
"""Examples of each kind that the page has; the files have all."""


def reference_page() -> str:
    """The reference page, in Markdown."""
    return "\n".join(_page()) + "\n"


def _page() -> Iterator[str]:
    ready = library()
    yield "# Ready rules\n"
    yield "<!-- Written by `make docs`; edit the code, not this page. -->\n"
    yield (
        f"{len(ready)} rules that come with Watchgate. `watchgate rules use RULE|GROUP|all` copies them to the gateway's "
        "own, `--shadow` lets them only record what they would do: begin with that, look at `watchgate rules backtest`, "
        "then let them act. A rule that is copied is yours: change its action, its severity, its scope."
    )
    yield ""
    yield from _table(ready)
    for group, members in groupby(ready, key=lambda one: one.group):
        yield f"\n## {group}\n"
        for one in members:
            yield from _rule(one.rule)


def _table(ready: Iterable[Ready]) -> Iterator[str]:
    yield "| Group | Rule | Action | Severity |"
    yield "|---|---|---|---|"
    for one in ready:
        yield f"| {one.group} | [{one.rule.name}](#{one.rule.name}) | {_action(one.rule)} | {one.rule.severity} |"


def _action(rule: Rule) -> str:
    return f"{rule.action}, in the shadow" if rule.shadow else str(rule.action)


def _rule(rule: Rule) -> Iterator[str]:
    yield f"### {rule.name}\n"
    yield f"{rule.description}\n"
    yield f"Action {_action(rule)}, severity {rule.severity}, {rule.points} points."
    if rule.message:
        yield f"Message: “{rule.message}”"
    yield ""
    for matches, word in ((True, "It matches"), (False, "It does not match")):
        shown = [one for one in rule.expect if one.matches is matches][:MOST_SHOWN]
        yield f"{word} {', '.join(map(_example, shown))}.\n"


def _example(example: Example) -> str:
    said = f" (typed into {example.inside})" if example.inside else ""
    return f"{_code(example.line)}{said}"


def _code(line: str) -> str:
    """*line* as code of Markdown, whatever it holds; what does not show is written as an escape."""
    text = "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode() for one in line
    )
    fence = "`"
    while fence in text:
        fence += "`"
    space = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{space}{text}{space}{fence}"
