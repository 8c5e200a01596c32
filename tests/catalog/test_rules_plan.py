"""What files want of the rules, beside what there is."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from catalog_world import change

from watchgate.catalog import rules, rules_plan
from watchgate.catalog.rules_plan import Plan, Step
from watchgate.policy.rules import Rule
from watchgate.policy.verdicts import Action

HERE, THERE = "file:/etc/rules", "file:/srv/rules"


def made(name: str, action: str = "block") -> Rule:
    document = json.dumps({"name": name, "action": action}, sort_keys=True)
    return Rule(
        name,
        Action(action),
        document=document,
        digest=hashlib.sha256(document.encode()).hexdigest(),
    )


def steps(plan: Plan) -> list[tuple[str, Step]]:
    return [(item.name, item.step) for item in plan.items]


def test_a_plan_brings_the_rules_to_what_files_say(tmp_path: Path) -> None:
    with change(tmp_path) as changed:
        for name in ("changed", "gone", "same"):
            rules.put(changed, made(name), HERE)
        rules.put(changed, made("library-rule"), rules.LIBRARY)
        wanted = {HERE: [made("added"), made("changed", "allow"), made("same")]}
        planned = rules_plan.plan(rules.listed(changed.connection), wanted, prune=True)
        rules_plan.carry_out(changed, planned)
        again = rules_plan.plan(rules.listed(changed.connection), wanted, prune=True)
        left = [one.name for one in rules.listed(changed.connection)]

    assert steps(planned) == [
        ("added", Step.ADD),
        ("changed", Step.CHANGE),
        ("gone", Step.REMOVE),
    ]
    assert (planned.same, planned.differs) == (1, True)
    assert planned.items[1].changes == (("action", "block", "allow"),)
    assert left == ["added", "changed", "library-rule", "same"]
    assert (again.items, again.same, again.differs) == ((), 3, False)


def test_what_is_in_the_files_no_more_stays_until_it_is_said_to_go(tmp_path: Path) -> None:
    with change(tmp_path) as changed:
        rules.put(changed, made("gone"), HERE)
        rules.put(changed, made("of-others"), THERE)
        planned = rules_plan.plan(rules.listed(changed.connection), {HERE: []})
        rules_plan.carry_out(changed, planned)
        left = rules.listed(changed.connection)

    assert steps(planned) == [("gone", Step.LEAVE)]
    assert not planned.differs
    assert len(left) == 2


def test_a_rule_of_somebody_else_is_a_conflict_until_it_is_taken_over(tmp_path: Path) -> None:
    with change(tmp_path) as changed:
        rules.put(changed, made("one"), THERE)
        rules.put(changed, made("two"), rules.LIBRARY)
        held = rules.listed(changed.connection)
        wanted = {HERE: [made("one"), made("two", "allow")]}
        refused = rules_plan.plan(held, wanted)
        taken = rules_plan.plan(held, wanted, adopt=True)
        rules_plan.carry_out(changed, taken)
        after = rules.listed(changed.connection)

    assert [(item.name, item.origin) for item in refused.conflicts] == [
        ("one", THERE),
        ("two", rules.LIBRARY),
    ]
    assert not refused.differs
    assert steps(taken) == [("one", Step.ADOPT), ("two", Step.CHANGE)]
    assert {one.origin for one in after} == {HERE}
