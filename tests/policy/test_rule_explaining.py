"""Why a rule matched, nearly matched, or was not asked."""

from __future__ import annotations

from rule_cases import NOON_US, given, reading, rule, simple, typed_into, writing

from watchgate.policy.explaining import Explanation, Node, explain
from watchgate.policy.reading import Opaque, Reading, Reason
from watchgate.policy.rules import Rule
from watchgate.policy.ruleset import RuleSet
from watchgate.policy.truth import MAY, NO, YES


def explained(*rules: Rule, line: Reading, at_us: int = NOON_US) -> Explanation:
    command, readings = given(line)
    return explain(RuleSet(rules), command, readings, at_us)


def shown(node: Node, depth: int = 0) -> list[str]:
    """A tree as indented lines."""
    own = f"{'  ' * depth}{node.word} {node.text}" + (f" ({node.note})" if node.note else "")
    return [own, *(line for child in node.children for line in shown(child, depth + 1))]


def test_a_tree_says_of_each_condition_whether_it_held() -> None:
    match = {
        "program": "rm",
        "not": {"path": "/tmp/**"},
        "any": [{"flags": "force"}, {"user": "x"}],
    }
    line = reading(simple("ls"), simple("rm -f /etc/x", "force"))
    found = explained(rule(match=match), line=line)

    assert found.summary == "block by it"
    assert found.things == ("ls", "rm -f /etc/x")
    assert shown(found.rules[0].things[1]) == [
        "yes rm -f /etc/x",
        "  yes all of these",
        "    yes program: rm",
        "    yes not",
        "      no path: /tmp/** (every one must)",
        "    yes any of these",
        "      yes flags: force",
        "      may user: x",
    ]
    assert found.rules[0].things[0].matched is NO


def test_what_matched_stands_first() -> None:
    found = explained(
        rule("a", match={"program": "dd"}),
        rule("b"),
        rule("c", "allow"),
        line=reading(simple("rm x")),
    )

    assert [(one.rule, one.matched) for one in found.rules] == [
        ("b", True),
        ("c", True),
        ("a", False),
    ]


def test_what_may_match_is_explained() -> None:
    match = {"args": "HIT"}
    found = explained(
        rule("forbids", match=match),
        rule("permits", "force", match=match),
        line=reading(simple("touch $X")),
    )
    forbids, permits = (one.things[0] for one in found.rules)

    assert forbids.note == "it may match, and that is enough for a rule that forbids"
    assert permits.note == "it may match, but this rule wants certainty"
    assert (forbids.children[0].matched, forbids.matched, permits.matched) == (MAY, YES, NO)


def test_a_list_that_does_not_cover_a_redirection_says_so() -> None:
    line = reading(simple("ls", redirects=writing("/etc/x")))
    found = explained(rule("list", "force", match={"program": "ls"}), line=line)

    assert found.rules[0].things[0].note == "it writes a file, and the rule does not say redirect"
    assert found.summary == "not on the list: ls"


def test_a_rule_that_does_not_see_a_thing_says_why() -> None:
    line = reading(simple("ls"), opaque=[Opaque(Reason.PIPED, "sh", "sh")])
    found = explained(rule(match={"any": [{"program": "sh"}, {"opaque": "script"}]}), line=line)

    assert found.rules[0].things[1].note == "a rule sees this only where it says opaque"


def test_a_rule_that_is_not_asked_says_why() -> None:
    night = NOON_US + 10 * 3_600 * 1_000_000
    office = rule(schedule={"hours": "08:00-18:00", "zone": "UTC"})
    command, readings = typed_into("psql", "select 1")

    assert explained(office, line=reading(simple("rm x")), at_us=night).rules[0].note == (
        "it holds only 00:00-24:00 UTC".replace("00:00-24:00", "08:00-18:00")
    )
    assert explain(RuleSet((rule(),)), command, readings, NOON_US).rules[0].note == (
        "nothing in this line is of a kind that it names"
    )


def test_a_rule_in_the_shadow_says_so() -> None:
    found = explained(rule(shadow=True), line=reading(simple("rm x")))

    assert found.rules[0].note == "it only records"
    assert found.summary == "allow: no rule forbids it"


def test_what_stands_beside_is_named() -> None:
    found = explained(
        rule(match={"program": "tar", "beside": {"program": "nc"}}),
        line=reading(simple("tar c x"), simple("nc h")),
    )

    assert "beside it in the line" in "\n".join(shown(found.rules[0].things[0]))


def test_of_a_long_line_only_some_is_explained() -> None:
    found = explained(rule(), line=reading(*(simple(f"x{n}") for n in range(200))))

    assert len(found.rules[0].things) == 50
