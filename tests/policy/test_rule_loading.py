"""Rules out of files and documents: what is read, what is refused and where, and how long many take."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from rule_cases import rule

from watchgate.configuration.places import FilesRefused
from watchgate.identity.hours import Hours
from watchgate.policy import loading, plain
from watchgate.policy.loading import from_document, load, load_files, load_text
from watchgate.policy.rules import DAY_US, Rule
from watchgate.policy.verdicts import Action, Severity

FULL = """\
version: 1
x-paths: &near ["/", "/etc/**"]
rules:
  recursive-rm:
    description: Deletes what a system needs.
    action: interrupt
    severity: high
    points: 40
    attempts: 3
    lock_account_after: 5
    lock_window: 12h
    message: Ask the storage team first.
    schedule: {days: Mon-Fri, hours: 08:00-18:00, zone: Europe/Berlin}
    scope:
      groups: dba
      targets: ["db*"]
      labels: {env: prod}
      except: {operators: [Root]}
    match:
      program: [rm, unlink]
      flags: {any: [recursive, force]}
      path: *near
      not: {user: nobody}
  notes:
    description: Remembers.
    action: allow
    match: {any: [{regex: '^x'}, {opaque: true}]}
"""


def refused(text: str) -> str:
    """What loading *text* says is wrong."""
    with pytest.raises(FilesRefused) as caught:
        load_text(text, "r.yaml", examples=False)
    return str(caught.value)


def around(match: str, rest: str = "") -> str:
    """A file with one rule; the match stands in line 6."""
    return (
        "version: 1\nrules:\n  it:\n    description: d\n    action: block\n"
        f"    match: {match}\n{rest}"
    )


# --- what is read --------------------------------------------------------------------------------


def test_a_rule_is_read_with_all_that_it_says() -> None:
    found = {one.name: one for one in load_text(FULL)}
    made = found["recursive-rm"]

    assert (made.action, made.severity, made.points) == (Action.INTERRUPT, Severity.HIGH, 40)
    assert (made.attempts, made.lock_account_after) == (3, 5)
    assert made.lock_window_us == DAY_US // 2
    assert made.message == "Ask the storage team first."
    assert made.schedule == Hours.parse("Mon-Fri", "08:00-18:00", "Europe/Berlin")
    assert (found["notes"].points, found["notes"].attempts) == (1, 1)


def test_points_come_from_the_severity() -> None:
    assert rule(severity="medium").points == 5
    assert rule(severity="medium", points=0).points == 0


def test_what_a_rule_describes_is_read_back_as_the_same_rule() -> None:
    for made in load_text(FULL):
        again = from_document(made.described())

        assert again == made
        assert again.digest == made.digest


def test_the_document_is_the_same_however_a_rule_is_written() -> None:
    one = rule(match={"program": ["rm", "dd"], "all": [{"flags": ["b", "a"]}, {"path": "/x"}]})
    other = rule(match={"path": ["/x"], "flags": ["a", "b"], "program": ["dd", "rm", "rm"]})

    assert one.document == other.document
    assert one.digest != rule(match={"program": "rm"}).digest


def test_the_document_says_what_always_matters() -> None:
    made = rule("it", "interrupt")

    assert made.described() == {
        "name": "it",
        "action": "interrupt",
        "attempts": 1,
        "description": "A test.",
        "match": {"program": "rm"},
        "points": 1,
        "severity": "low",
    }


CONDITIONS: some.SearchStrategy[dict[str, Any]] = some.recursive(
    some.sampled_from(
        [
            {"program": "rm"},
            {"flags": {"any": ["a"], "only": ["a", "b"]}},
            {"regex": "x+", "line": "y"},
            {"opaque": ["script", "piped"]},
            {"opaque": True},
            {"value": {"output": ["/etc/*", "x"]}},
            {"place": ["shell"], "confidence": "inferred", "source": "keys"},
            {"inside": "psql"},
            {"redirect": "/x", "wrapper": "sudo", "user": "root", "args": "*"},
        ]
    ),
    lambda inner: some.one_of(
        some.fixed_dictionaries({"not": inner}),
        some.fixed_dictionaries({"not": inner, "all": some.lists(inner, min_size=1, max_size=2)}),
        some.fixed_dictionaries({"beside": inner}),
        some.fixed_dictionaries({"any": some.lists(inner, min_size=1, max_size=3)}),
    ),
    max_leaves=8,
)


@given(CONDITIONS)
def test_every_match_comes_back_as_it_went(match: dict[str, Any]) -> None:
    made = rule(match=match)
    again = from_document(made.described())

    assert again == made


# --- what is refused, and where ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (around("{program: rm}").replace("it:", "It:"), "r.yaml:3:3: rules.It: 'It' cannot name a rule"),
        (around("{progam: rm}"), "r.yaml:6:13: rules.it.match.progam: a match has no key 'progam'; did you mean program?"),
        (around("{}"), "r.yaml:6:12: rules.it.match: a match without a condition would match everything"),
        (around("{regex: '(?=x)'}"), "r.yaml:6:20: rules.it.match.regex: this regex is refused at its character 1"),
        (around("{line: ''}"), "an empty regex matches everything"),
        (around("{program: []}"), "rules.it.match.program: this list is empty"),
        (around("{program: no}"), 'YAML reads no as true or false; quote it: "no"'),
        (around("{opaque: false}"), "say `not: {opaque: true}`"),
        (around("{opaque: pipe}"), "there is no 'pipe'; did you mean piped?"),
        (around("{flags: {}}"), "flags needs a list, or one of all, any, only"),
        (around("{any: [{program: rm}, {flag: x}]}"), "rules.it.match.any[1].flag: a match has no key 'flag'; did you mean flags?"),
        (around("{confidence: sure}"), "one of exact, inferred"),
        (around("{program: rm}", "    severity: hi\n"), "there is no 'hi'; did you mean high?"),
        (around("{program: rm}", "    attempts: 2\n"), "attempts belong to the action interrupt"),
        (around("{program: rm}", "    points: -1\n"), "a whole number from 0 to 1,000"),
        (around("{program: rm}", "    lock_window: 2h\n"), "lock_window means nothing without"),
        (around("{program: rm}", "    lock_account_after: 1001\n"), "from 0 to 1,000"),
        (around("{program: rm}", "    lock_account_after: 2\n    lock_window: soon\n"), "not a length of time"),
        (around("{program: rm}", "    schedule: {hours: 08:00-18:00}\n"), "the key zone is missing"),
        (around("{program: rm}", "    schedule: {zone: UTC}\n"), "a schedule says days, hours or both"),
        (around("{program: rm}", "    schedule: {days: Mon, zone: Mars}\n"), "'Mars' is not known"),
        (around("{program: rm}", "    scope: {except: {}}\n"), "would except everything"),
        (around("{program: rm}", "    scope: {target: web1}\n"), "did you mean targets?"),
        (around("{program: rm}", "    shadow: 'yes'\n"), "true or false, without quotes"),
        (around("{program: rm}").replace("block", "force") + "    certain: false\n", "always wants certainty"),
        ("version: 2\nrules: {}\n", "r.yaml:1:10: version: version 2 of rule files is not known"),
        ("rules: {}\n", "the key version is missing"),
        ("version: 1\n", "the key rules is missing"),
        ("version: 1\nrules: [x]\n", "it must be a mapping by the name of the rule"),
        ("version: 1\nrules: {it: {action: block}}\n", "the key description is missing"),
        ("version: 1\nrules:\n\tx: 1\n", "a tab stands where YAML wants spaces"),
        (around("{program: rm}") + "  it: {}\n", "the key 'it' is here twice"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_place(text: str, sentence: str) -> None:
    assert sentence in refused(text)


def test_all_that_is_wrong_is_said_at_once() -> None:
    said = refused(around("{progam: rm}", "    severity: hi\n    points: x\n"))

    assert said.count("r.yaml:") == 3


def test_a_match_that_is_nested_too_deep_is_refused() -> None:
    deep = "{not: " * 30 + "{program: rm}" + "}" * 30

    assert "nested more than 20 deep" in refused(around(deep))


def test_what_was_loaded_can_be_read_back_however_deep_it_is() -> None:
    inner = "{program: a}"
    for _ in range(7):
        inner = f"{{not: {inner}, all: [{{not: {{program: b}}}}]}}"
    (made,) = load_text(around(inner))

    assert from_document(made.described()) == made


def test_a_document_that_is_nested_too_deep_is_refused() -> None:
    match: dict[str, Any] = {"program": "rm"}
    for _ in range(60):
        match = {"not": match}
    with pytest.raises(FilesRefused, match="nested too deep to be kept"):
        rule(match=match)


def test_two_files_may_not_have_rules_of_one_name() -> None:
    text = around("{program: rm}").encode()
    with pytest.raises(FilesRefused, match=r"b.yaml:3:3: .*of this name at a.yaml:3:3; rename one"):
        load({"a.yaml": text, "b.yaml": text}, examples=False)


def test_a_large_file_is_refused_before_it_is_read() -> None:
    with pytest.raises(FilesRefused, match="more than 32 MiB"):
        load({"a.yaml": b" " * ((32 << 20) + 1)})


def test_an_empty_file_holds_no_rules() -> None:
    assert load_text("") == ()
    assert load_text("# nothing\n") == ()


@given(some.binary(max_size=200) | some.text(max_size=200).map(str.encode))
def test_whatever_a_file_holds_it_is_read_or_refused(octets: bytes) -> None:
    try:
        found = load({"r.yaml": octets}, examples=False)
    except FilesRefused as error:
        said = str(error)
    else:
        said = "" if all(isinstance(one, Rule) for one in found) else "something else"

    assert said == "" or "r.yaml" in said


# --- files and directories -----------------------------------------------------------------------


def test_directories_and_files_are_read_together(tmp_path: Path) -> None:
    for name, rule_name in (
        ("a.yaml", "one"),
        ("b/c.yml", "two"),
        (".git/x.yaml", "no"),
        ("r.txt", "no"),
    ):
        path = tmp_path / "d" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(around("{program: rm}").replace("it:", f"{rule_name}:"))
    alone = tmp_path / "alone.txt"
    alone.write_text(around("{program: rm}").replace("it:", "three:"))
    found = load_files([tmp_path / "d", alone, alone], examples=False)

    assert [one.name for one in found] == ["one", "three", "two"]


def test_a_file_that_is_not_there_and_an_empty_directory_are_said(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(FilesRefused) as caught:
        load_files([tmp_path / "none.yaml", tmp_path / "empty"])

    assert "none.yaml: this cannot be read: No such file" in str(caught.value)
    assert "there is no .yaml file in this directory" in str(caught.value)


# --- documents -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ({}, "the key name is missing"),
        ({"name": "x y"}, "cannot name a rule"),
        ({"name": "it", "description": "d", "action": "blok", "match": {"program": "rm"}}, "did you mean block?"),
        ({"name": "it", "match": {"program": object()}}, "object is no JSON value"),
        ({"name": "it", "match": {"program": 3.5, "points": None}}, "rule it"),
    ],
)  # fmt: skip
def test_a_document_that_is_no_rule_is_refused(document: dict[str, Any], sentence: str) -> None:
    with pytest.raises(FilesRefused, match=sentence.replace("?", r"\?")):
        from_document(document)


def test_plain_values_that_contain_themselves_are_refused() -> None:
    endless: dict[str, Any] = {"name": "it"}
    endless["match"] = {"not": endless}
    with pytest.raises(FilesRefused, match="nested more than"):
        from_document(endless)


def test_plain_values_become_the_tree_that_yaml_has() -> None:
    from watchgate.configuration.places import Place, Problems
    from watchgate.configuration.yamltree import Mapping

    problems = Problems()
    made = plain.tree({"a": [1, True, None, "x", 1.5]}, Place("p"), problems)

    assert isinstance(made, Mapping)
    assert problems.count == 0


# --- many ----------------------------------------------------------------------------------------


def test_ten_thousand_rules_are_loaded_in_seconds() -> None:
    rules = "".join(
        f"  rule-{n}:\n    description: Number {n}.\n    action: block\n    match:\n"
        f"      any:\n      - {{program: [p{n}, q{n}], flags: force}}\n      - {{regex: '^x{n}\\s+.*y$'}}\n"
        for n in range(10_000)
    )
    begun = time.process_time()
    found = load_text(f"version: 1\nrules:\n{rules}")

    assert len(found) == 10_000
    assert time.process_time() - begun < 20


def test_more_rules_than_anybody_has_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "MOST_RULES", 3)
    rules = "".join(
        f"  r{n}: {{description: d, action: block, match: {{program: x}}}}\n" for n in range(9)
    )

    assert "more than 3 rules" in refused(f"version: 1\nrules:\n{rules}")
