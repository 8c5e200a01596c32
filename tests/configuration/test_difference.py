"""What would be done to bring a catalog to what files say."""

from __future__ import annotations

from configuration_world import KEYS, said

from watchgate.configuration import difference, keys
from watchgate.configuration.current import Current, Held, HeldAccount, HeldKey
from watchgate.configuration.difference import Action, Plan
from watchgate.configuration.entries import GrantEntry, OperatorEntry, TargetEntry
from watchgate.configuration.facts import Field
from watchgate.configuration.ownership import Kind
from watchgate.session.model import CredentialKind

NOW = 1_780_000_000_000_000


def operator(name: str, owner: str | None = "files", **given: object) -> Held[OperatorEntry]:
    values: dict[str, object] = {"keys": frozenset(), "disabled": False}
    return Held(f"id-{name}", owner, OperatorEntry(name, **(values | given)))  # type: ignore[arg-type]


def target(name: str, owner: str | None = "files", **given: object) -> Held[TargetEntry]:
    values: dict[str, object] = {"host_keys": frozenset()}
    return Held(f"id-{name}", owner, TargetEntry(name, "10.0.0.5", **(values | given)))  # type: ignore[arg-type]


def grant(name: str, owner: str | None = "files") -> Held[GrantEntry]:
    return Held(f"id-{name}", owner, GrantEntry(name, "alice", None, "root", "*"))


def planned(text: str, held: Current | None = None, *, adopt: bool = False) -> Plan:
    return difference.plan(said(text), held or Current(), NOW, adopt=adopt)


def lines(plan: Plan) -> list[str]:
    return [f"{item.action} {item.kind} {item.name}" for item in plan.items]


def test_what_is_not_there_is_added() -> None:
    plan = planned(
        """
        operators: {alice: {groups: [ops]}}
        targets: {web1: {address: 10.0.0.5, accounts: {root: password}}}
        grants: {g: {group: ops, account: root, target: web1}}
        """
    )

    assert lines(plan) == [
        "add operator alice",
        "add target web1",
        "add account root@web1",
        "add grant g",
    ]
    assert plan.items[2].notes == ("has no secret yet: watchgate account set root@web1",)
    assert plan.items[0].fields == (Field("roles", None, "operator"), Field("groups", None, "ops"))
    assert plan.differs


def test_what_is_the_same_is_left_alone() -> None:
    held = Current(operators={"alice": operator("Alice")}, targets={"web1": target("web1")})

    assert planned("operators: {alice: }\ntargets: {WEB1: {address: 10.0.0.5}}", held) == Plan()


def test_a_change_says_from_what_to_what() -> None:
    held = Current(
        targets={"web1": target("web1", labels={"env": "test", "old": "x"})},
        operators={"alice": operator("alice", groups=frozenset({"ops"}))},
    )
    plan = planned(
        """
        operators: {alice: {roles: [admin]}}
        targets: {web1: {address: "10.0.0.6:22", labels: {env: prod}, settings: {index: screen}}}
        """,
        held,
    )

    assert plan.items[0].fields == (
        Field("roles", "operator", "admin"),
        Field("groups", "ops", None),
    )
    assert plan.items[1].fields == (
        Field("address", "10.0.0.5:22", "10.0.0.6:22"),
        Field("label env", "test", "prod"),
        Field("label old", "x", None),
        Field("index", None, "screen"),
    )


def test_only_what_the_files_own_is_removed() -> None:
    held = Current(
        operators={
            "mine": operator("mine"),
            "hand": operator("hand", None),
            "other": operator("other", "others"),
        },
        targets={"mine": target("mine"), "hand": target("hand", None)},
        accounts={
            ("mine", "root"): HeldAccount(
                "a", None, "mine", "root", CredentialKind.PASSWORD, has_secret=True
            )
        },
        grants=(grant("mine"), grant("", None)),
    )
    plan = planned("x-nothing: 1", held)

    assert lines(plan) == ["remove operator mine", "remove target mine", "remove grant mine"]
    assert plan.items[1].notes == ("with root, and their secrets",)
    assert plan.items[2].notes == ("revoked; sessions that it opened go on",)


def test_what_goes_along_with_what_is_removed_is_said() -> None:
    by_hand = Held("g", None, GrantEntry("", "mine", None, "root", "web1"))
    held = Current(
        operators={"mine": operator("mine")},
        targets={"web1": target("web1")},
        grants=(by_hand,),
    )
    plan = planned("x-nothing: 1", held)

    assert plan.items[0].notes == ("1 grant that these files did not give him go with him",)
    assert plan.items[1].notes == ("1 grant on it that these files did not give go with it",)


def test_what_was_made_by_hand_and_is_the_same_is_taken_over() -> None:
    held = Current(
        operators={"alice": operator("alice", None)},
        targets={"web1": target("web1", None)},
        grants=(grant("", None),),
    )
    plan = planned(
        """
        operators: {alice: }
        targets: {web1: {address: 10.0.0.5}}
        grants: {g: {operator: alice, account: root, target: "*"}}
        """,
        held,
    )

    assert lines(plan) == ["adopt operator alice", "adopt target web1", "adopt grant g"]
    assert not plan.differs


def test_what_was_made_by_hand_and_differs_is_a_conflict_unless_adopted() -> None:
    held = Current(targets={"web1": target("web1", None)})
    text = "targets: {web1: {address: 10.0.0.6, labels: {a: b}}}"
    plan = planned(text, held)

    assert plan.items == ()
    assert [str(one) for one in plan.conflicts] == [
        "a.yaml:1:11: targets.web1: the target web1 was made by hand and differs in address, "
        "label a; --adopt takes it over"
    ]
    assert lines(planned(text, held, adopt=True)) == ["change target web1"]


def test_what_other_files_own_is_a_conflict_unless_adopted() -> None:
    held = Current(operators={"alice": operator("alice", "others")})
    plan = planned("operators: {alice: }", held)

    assert "belongs to the files of 'others'" in str(plan.conflicts[0])
    assert lines(planned("operators: {alice: }", held, adopt=True)) == ["adopt operator alice"]


def test_an_admin_who_disabled_somebody_is_not_overruled() -> None:
    held = Current(operators={"alice": operator("alice", disabled=True)})

    assert planned("operators: {alice: }", held) == Plan()
    assert planned("operators: {alice: {disabled: no}}", held).items[0].fields == (
        Field("state", "disabled", "enabled"),
    )


def test_a_pinned_host_key_stays_unless_the_files_list_host_keys() -> None:
    held = Current(targets={"web1": target("web1", host_keys=frozenset({KEYS[0]}))})

    assert planned("targets: {web1: {address: 10.0.0.5}}", held) == Plan()
    listed = planned("targets: {web1: {address: 10.0.0.5, host_keys: []}}", held)
    assert [(field.name, field.new) for field in listed.items[0].fields] == [("host key", None)]


def test_keys_that_are_not_listed_go_when_files_gave_them_and_stay_when_a_hand_did() -> None:
    held = Current(
        operators={"alice": operator("alice", keys=frozenset({KEYS[0], KEYS[1]}))},
        keys={"alice": (HeldKey("1", "files", KEYS[0]), HeldKey("2", None, KEYS[1]))},
    )
    silent = planned("operators: {alice: }", held)
    exact = planned(f'operators: {{alice: {{keys: ["{KEYS[0]}"]}}}}', held)

    assert keys.fingerprint(KEYS[0]) in (silent.items[0].fields[0].old or "")
    assert keys.fingerprint(KEYS[1]) in (exact.items[0].fields[0].old or "")
    assert len(silent.items[0].fields) == len(exact.items[0].fields) == 1


def test_a_key_of_somebody_who_keeps_it_cannot_become_anothers() -> None:
    held = Current(
        operators={"bob": operator("bob", None, keys=frozenset({KEYS[0]}))},
        keys={"bob": (HeldKey("1", None, KEYS[0]),)},
    )
    plan = planned(f'operators: {{alice: {{keys: ["{KEYS[0]}"]}}}}', held)

    assert "is already a key of bob" in str(plan.conflicts[0])


def test_a_grant_that_names_nothing_that_will_be_there_is_a_conflict() -> None:
    held = Current(operators={"bob": operator("bob")}, targets={"web1": target("web1", None)})
    plan = planned(
        """
        operators: {alice: }
        grants:
          one: {operator: bob, account: root, target: web1}
          two: {operator: alicia, account: root, target: web2}
        """,
        held,
    )
    found = [str(one) for one in plan.conflicts]

    assert found[0].startswith("a.yaml:4:9: grants.one.operator: there is no operator 'bob'")
    assert (
        "a.yaml:5:9: grants.two.operator: there is no operator 'alicia'; did you mean alice?"
        in found
    )
    assert "there is no target 'web2'; did you mean web1?" in found[2]


def test_a_grant_to_a_group_that_nobody_is_in_is_a_warning() -> None:
    plan = planned("grants: {g: {group: ops, account: root, target: '*'}}")

    assert plan.warnings == ("nobody is in the group ops, to which the grant g is given",)
    assert plan.conflicts == ()


def test_a_grant_that_is_over_is_not_given_again() -> None:
    text = "grants: {g: {operator: alice, account: root, target: '*', until: '2020-01-01T00:00Z'}}"
    held = Current(operators={"alice": operator("alice", None)})
    plan = planned(text, held)

    assert plan.items == ()
    assert plan.warnings == ("the grant g is over and is not given; take it out of the files",)


def test_another_kind_of_credential_says_that_the_secret_goes() -> None:
    account = HeldAccount("a", "files", "web1", "root", CredentialKind.PASSWORD, has_secret=True)
    held = Current(targets={"web1": target("web1")}, accounts={("web1", "root"): account})
    plan = planned("targets: {web1: {address: 10.0.0.5, accounts: {root: private-key}}}", held)

    assert plan.items[0].fields == (Field("credential", "password", "private-key"),)
    assert plan.items[0].notes == (
        "its secret is destroyed",
        "has no secret yet: watchgate account set root@web1 --key FILE",
    )
    assert account.lacks_secret is False


def test_a_changed_grant_says_that_the_old_one_is_revoked() -> None:
    held = Current(operators={"alice": operator("alice", None)}, grants=(grant("g"),))
    plan = planned("grants: {g: {operator: alice, account: app, target: '*'}}", held)

    assert plan.items[0].action is Action.CHANGE
    assert plan.items[0].kind is Kind.GRANT
    assert plan.items[0].fields == (Field("for", "root@*", "app@*"),)
    assert plan.items[0].notes == ("the old one is revoked; sessions that it opened go on",)
