"""What a rule may say, as files and the API say it: the one table for reading, schema and reference."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from typing import Any

from watchgate.configuration.shapes import (
    Checked,
    Choice,
    Flag,
    Key,
    Named,
    Number,
    Record,
    Text,
)
from watchgate.errors import ConfigurationError
from watchgate.identity.hours import Hours
from watchgate.policy.combining import told
from watchgate.policy.example_shapes import EXAMPLES
from watchgate.policy.match_shapes import MatchShape, OneOrMany
from watchgate.policy.rules import DAY_US, Rule
from watchgate.policy.scopes import EVERYTHING, EVERYWHERE, Scope, parts_of
from watchgate.policy.verdicts import Action, Severity
from watchgate.quantities import parse_duration, show_duration

VERSION = 1
PRIVATE_PREFIX = "x-"
DEEPEST_MATCH = 56
"""Less than what is read as plain values, so that what is kept can be read back."""

MOST_ATTEMPTS = 10
MOST_POINTS = 1_000
MOST_REPETITIONS = 1_000
LONGEST_WINDOW = 366 * 86_400.0
LONGEST_NAME = 64
LONGEST_TEXT = 2_000

_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")


def rule_name(name: str) -> str:
    """*name* when a rule may bear it; else ConfigurationError."""
    if len(name) > LONGEST_NAME or not _NAME.fullmatch(name):
        raise ConfigurationError(
            f"{name[:80]!r} cannot name a rule: a name holds lower-case letters, digits and '-', "
            f"begins with a letter or a digit, and has at most {LONGEST_NAME} characters",
            code="rule.illegal-name",
        )
    return name


def _sentence(text: str) -> str:
    stripped = " ".join(text.split())
    if len(stripped) > LONGEST_TEXT or not stripped.isprintable():
        raise ConfigurationError(
            f"this text has more than {LONGEST_TEXT:,} characters, or some that cannot be shown",
            code="rule.illegal-text",
        )
    return stripped


def _description(text: str) -> str:
    if not text.strip():
        raise ConfigurationError(
            "the description is empty; say what the rule is against", code="rule.illegal-text"
        )
    return _sentence(text)


# --- scope ---------------------------------------------------------------------------------------

_NAMES = OneOrMany(Text("a name, in which * and ? are wildcards", may_be=frozenset({"a number"})))

_PARTS = (
    Key("operators", _NAMES, "The operator is one of these."),
    Key("groups", _NAMES, "The operator is in one of these groups."),
    Key("targets", _NAMES, "The target is one of these."),
    Key(
        "labels",
        Named("label", str, _NAMES),
        "The target bears all of these labels, each with one of these values.",
    ),
    Key("accounts", _NAMES, "The account on the target is one of these."),
    Key("protocols", _NAMES, "The session speaks one of these."),
)
_EXCEPT = Record("an exception", _PARTS, parts_of)


def _scope(found: dict[str, Any]) -> Scope:
    if "except" in found and found["except"] == EVERYTHING:
        raise ConfigurationError(
            "an exception that says nothing would except everything; leave it out",
            code="rule.illegal-scope",
        )
    return Scope(parts_of(found), found.get("except", EVERYTHING))


SCOPE = Record(
    "a scope",
    (*_PARTS, Key("except", _EXCEPT, "But not where all of this holds.")),
    _scope,
)

# --- schedule ------------------------------------------------------------------------------------


def _hours(found: dict[str, str]) -> Hours:
    if "days" not in found and "hours" not in found:
        raise ConfigurationError(
            "a schedule says days, hours or both: {days: Mon-Fri, hours: 08:00-18:00, zone: …}",
            code="rule.illegal-schedule",
        )
    return Hours.parse(found.get("days"), found.get("hours"), found["zone"])


SCHEDULE = Record(
    "a schedule",
    (
        Key(
            "days", Text("weekdays, as Mon-Fri or Sat,Sun", example="Mon-Fri"), "On these weekdays."
        ),
        Key(
            "hours",
            Text("a window of the day, as 08:00-18:00", example="08:00-18:00"),
            "In this window of the day; one that ends before it begins crosses midnight.",
        ),
        Key(
            "zone",
            Text("a time zone, as Europe/Berlin", example="Europe/Berlin"),
            "Whose clock is meant.",
            required=True,
        ),
    ),
    _hours,
)


def _schedule_told(hours: Hours) -> dict[str, str]:
    *days, window, zone = hours.describe().split(" ")
    return ({"days": days[0]} if days else {}) | {"hours": window, "zone": zone}


# --- a rule --------------------------------------------------------------------------------------


def _window_us(text: str) -> int:
    try:
        seconds = parse_duration(text)
    except ValueError as error:
        raise ConfigurationError(
            f"{text!r} is not a length of time; write it as 24h, 30min or 7d",
            code="rule.illegal-window",
        ) from error
    if not 1 <= seconds <= LONGEST_WINDOW:
        raise ConfigurationError(
            f"{text} is not from 1s to {show_duration(LONGEST_WINDOW)}", code="rule.illegal-window"
        )
    return round(seconds * 1_000_000)


RULE_KEYS = (
    Key(
        "description",
        Text("text", _description),
        "What it is against; for those who read verdicts and review rules.",
        required=True,
    ),
    Key("action", Choice(Action), "What happens with a command that it matches.", required=True),
    Key("severity", Choice(Severity), "How grave such a command is; else `low`."),
    Key(
        "points",
        Number(0, MOST_POINTS, whole=True),
        "What such a command adds to the scores; else 1 for low, 5 for medium, 25 for high.",
    ),
    Key(
        "attempts",
        Number(1, MOST_ATTEMPTS, whole=True),
        "Of `interrupt`: the try at which the session ends; before it the command is blocked. Else 1.",
    ),
    Key(
        "lock_account_after",
        Number(0, MOST_REPETITIONS, whole=True),
        "After so many such commands within `lock_window` the operator's account is locked; 0, as without it, is never.",
    ),
    Key("lock_window", Text("a length of time, as 24h", _window_us), "Else `24h`."),
    Key("message", Text("text", _sentence), "What the operator reads when it holds him up."),
    Key("shadow", Flag(), "It only records what it would have done."),
    Key(
        "certain",
        Flag(),
        "What only may match (a glob, a variable) is no match. Lists (`force`) always want certainty, and `allow` does unless it says false.",
    ),
    Key("schedule", SCHEDULE, "When it holds; else always."),
    Key("scope", SCOPE, "The sessions for which it holds; else all."),
    Key("match", MatchShape(), "What it matches.", required=True),
    Key(
        "expect",
        EXAMPLES,
        "Lines that it must match and lines that it must not, checked when it is loaded.",
    ),
)


def _rule(found: dict[str, Any]) -> Rule:
    action: Action = found["action"]
    severity: Severity = found.get("severity", Severity.LOW)
    if "attempts" in found and action is not Action.INTERRUPT:
        raise ConfigurationError(
            f"attempts belong to the action interrupt; this rule has {action}",
            code="rule.illegal-attempts",
        )
    if "lock_window" in found and not found.get("lock_account_after"):
        raise ConfigurationError(
            "lock_window means nothing without lock_account_after", code="rule.illegal-window"
        )
    if found.get("certain") is False and action is Action.FORCE:
        raise ConfigurationError(
            f"a rule with {action} always wants certainty; leave certain out",
            code="rule.illegal-certainty",
        )
    return Rule(
        name=found.get("name", ""),
        action=action,
        severity=severity,
        points=found.get("points", severity.points),
        description=found["description"],
        message=found.get("message", ""),
        attempts=found.get("attempts", 1),
        lock_account_after=found.get("lock_account_after", 0),
        lock_window_us=found.get("lock_window", DAY_US),
        shadow=found.get("shadow", False),
        match=found["match"],
        scope=found.get("scope", EVERYWHERE),
        schedule=found.get("schedule"),
        certain=found.get("certain", action is Action.ALLOW) and action is not Action.FORCE,
        expect=found.get("expect", ()),
    )


RULE = Record("a rule", RULE_KEYS, _rule)
"""A rule under its name in a file."""

NAMED_RULE = Record(
    "a rule",
    (Key("name", Text("the name of a rule", rule_name), "Its name.", required=True), *RULE_KEYS),
    lambda found: finished(_rule(found), found["name"]),
)
"""A rule by itself, as the API has it."""


def finished(rule: Rule, name: str) -> Rule:
    """*rule* under its name, with its document in one normal form and the digest of that."""
    named = replace(rule, name=name)
    if _depth(told(rule.match)) > DEEPEST_MATCH:
        raise ConfigurationError(
            "the match is nested too deep to be kept; say it in two rules", code="rule.too-deep"
        )
    document = json.dumps(
        _described(named), sort_keys=True, ensure_ascii=False, separators=(",", ":")
    )
    digest = hashlib.sha256(document.encode("utf-8", "surrogatepass")).hexdigest()
    return replace(named, document=document, digest=digest)


def _depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(_depth, value), default=0)
    return 0


def _described(rule: Rule) -> dict[str, Any]:
    """The rule as plain JSON values; what is as usual is left out, but for what a reader always asks."""
    made: dict[str, Any] = {
        "name": rule.name,
        "description": rule.description,
        "action": str(rule.action),
        "severity": str(rule.severity),
        "points": rule.points,
        "match": told(rule.match),
    }
    if rule.action is Action.INTERRUPT:
        made["attempts"] = rule.attempts
    if rule.lock_account_after:
        made["lock_account_after"] = rule.lock_account_after
        made["lock_window"] = show_duration(rule.lock_window_us / 1_000_000)
    optional: dict[str, Any] = {
        "message": rule.message,
        "shadow": rule.shadow,
        "schedule": rule.schedule and _schedule_told(rule.schedule),
        "scope": rule.scope.described(),
        "expect": [example.described() for example in rule.expect],
    }
    if rule.certain is not (rule.action is Action.ALLOW):
        made["certain"] = rule.certain
    return made | {word: value for word, value in optional.items() if value}


# --- a file --------------------------------------------------------------------------------------


def _version(value: int) -> int:
    if value != VERSION:
        raise ConfigurationError(
            f"version {value} of rule files is not known to this program; it knows {VERSION}",
            code="rule.unknown-version",
        )
    return value


def _by_name(found: dict[str, Rule]) -> tuple[Rule, ...]:
    return tuple(finished(rule, name) for name, rule in found.items())


RULE_FILE = Record(
    "a file of rules",
    (
        Key(
            "version",
            Checked(Number(0, 1000, whole=True), _version),
            f"The version of this format: {VERSION}.",
            required=True,
        ),
        Key("rules", Named("rule", rule_name, RULE, _by_name), "Rules by name.", required=True),
    ),
    ignored=PRIVATE_PREFIX,
)
