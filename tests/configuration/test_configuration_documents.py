"""What files may say, and how it is told what they say wrongly."""

from __future__ import annotations

import pytest
from configuration_world import KEYS, said, wrong

from watchgate.catalog import settings
from watchgate.configuration import documents
from watchgate.configuration.places import MOST_PROBLEMS, FilesRefused, Place, Problems
from watchgate.configuration.shapes import shown
from watchgate.identity.operators import Role
from watchgate.session.model import Capability, CredentialKind, HostKeyPolicy, IndexPolicy


def test_an_operator_is_said_with_all_that_the_verbs_say() -> None:
    found = said(
        f"""
        operators:
          alice:
            roles: [admin, auditor]
            groups: [ops, DBA]
            keys: ["{KEYS[0]} laptop"]
            login: [publickey+totp, password+totp]
            disabled: yes
        """
    ).operators[0]

    assert found.roles == {Role.ADMIN, Role.AUDITOR}
    assert found.groups == {"ops", "dba"}
    assert found.keys == frozenset({f"{KEYS[0]} laptop"})
    assert found.login == ("publickey+totp", "password+totp")
    assert found.disabled is True


def test_a_target_is_said_with_its_accounts_and_settings() -> None:
    found = said(
        f"""
        targets:
          web1:
            address: "[2001:DB8::5]:2222"
            labels: {{env: prod, rack: "12"}}
            settings: {{index: off, host_keys: pinned, idle_timeout: 90, record_input: no,
                       environment: [LANG, LC_*]}}
            host_keys: ["{KEYS[1]} root@web1"]
            accounts: {{root: certificate, app: {{credential: password}}}}
        """
    ).targets[0]

    assert (found.host, found.port) == ("2001:db8::5", 2222)
    assert found.labels == {"env": "prod", "rack": "12"}
    assert found.settings.index is IndexPolicy.OFF
    assert found.settings.host_keys is HostKeyPolicy.PINNED
    assert found.settings.idle_timeout == 90.0
    assert found.settings.record_input is False
    assert found.settings.environment == ("LANG", "LC_*")
    assert found.host_keys == frozenset({KEYS[1]})
    assert found.accounts == {
        "root": CredentialKind.CERTIFICATE,
        "app": CredentialKind.PASSWORD,
    }


def test_a_grant_is_said_with_its_terms() -> None:
    found = said(
        """
        grants:
          night:
            group: Ops
            account: "*"
            labels: {role: web, env: prod}
            also: [forward-local]
            from: 2026-11-21
            until: 2026-12-01T08:00:00
            days: Mon-Fri
            hours: 22:00-06:00
            zone: Europe/Berlin
            networks: [10.0.0.0/8, 192.0.2.7]
            max_sessions: 3
            comment: on call
        """
    ).grants[0]

    assert (found.group, found.account, found.where) == ("ops", "*", "env=prod,role=web")
    assert Capability.FORWARD_LOCAL in found.terms.capabilities
    assert found.terms.hours is not None
    assert found.terms.hours.describe() == "Mon-Fri 22:00-06:00 Europe/Berlin"
    # Midnight in Berlin is 23:00 of the day before in UTC.
    assert found.terms.from_us == 1_795_215_600_000_000
    assert [str(one) for one in found.terms.networks] == ["10.0.0.0/8", "192.0.2.7/32"]


def test_a_group_lists_its_members_in_whichever_file() -> None:
    found = said(
        "groups: {ops: [alice, BOB]}", "operators: {alice: {groups: [dba]}, bob: }"
    ).operators

    assert {one.name: one.groups for one in found} == {"alice": {"ops", "dba"}, "bob": {"ops"}}


def test_keys_of_ones_own_hold_anchors() -> None:
    found = said(
        """
        x-usual: &usual {idle_timeout: 1800}
        targets:
          web1: {address: a, settings: {<<: *usual, index: screen}}
        """
    ).targets[0]

    assert found.settings.idle_timeout == 1800
    assert found.settings.index is IndexPolicy.SCREEN


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "operatorz: {}",
            "a.yaml:1:1: operatorz: a file has no key 'operatorz'; did you mean operators?",
        ),
        ("version: 2", "a.yaml:1:10: version: version 2 of these files is not known"),
        ("owner: me", "a.yaml:1:1: owner: the owner is said in watchgate.yaml at the top"),
        ("[a]", "a.yaml:1:1: this is a list; it must be a mapping with"),
        (
            "operators: {no: {}}",
            'a.yaml:1:13: operators.no: YAML reads no as true or false; quote it: "no"',
        ),
        ("operators: {0123: {}}", 'quote it: "0123"'),
        ("operators: {1.0e+3: {}}", 'quote it: "1.0e+3"'),
        ("operators: {1e3: {}}", 'quote it: "1e3"'),
        ("operators: {a b: {}}", "a.yaml:1:13: operators.a b: 'a b' cannot name the operator"),
        (
            "operators: {a: {roles: [admln]}}",
            "operators.a.roles[0]: there is no 'admln'; did you mean admin?",
        ),
        ("operators: {a: {roles: []}}", "a has an empty list of roles"),
        (
            "operators: {a: {groups: ops}}",
            "it must be a list, each the name of a group; write [ops]",
        ),
        (
            "operators: {a: {keys: [x]}}",
            "operators.a.keys[0]: this is not one OpenSSH public key line",
        ),
        (
            "operators: {a: {keys: ['-----BEGIN OPENSSH PRIVATE KEY-----']}}",
            "this is a private key",
        ),
        ("operators: {a: {login: [totp]}}", "a one-time code alone"),
        ("operators: {a: {login: []}}", "nobody could log in"),
        ("operators: {a: {disabled: 'yes'}}", "it must be true or false, without quotes"),
        ("operators: {a: {password: x}}", "an operator has no key 'password'; there are roles"),
        (
            "operators: {a: , A: }",
            "a.yaml:1:18: operators.A: there is already an operator 'a' at a.yaml:1:13",
        ),
        ("groups: {ops: [alice]}", "a.yaml:1:10: groups.ops: 'alice' is not among the operators"),
        ("groups: {ops: [alicia]}\noperators: {alice: }", "did you mean alice?"),
        (
            "targets: {w: }",
            "a.yaml:1:14: targets.w: the key address is missing; it must be host, or host:port",
        ),
        ("targets: {w: {address: 'a b'}}", "'a b' is neither a host name nor an IP address"),
        ("targets: {w: {address: 'a:99999'}}", "is neither a host name"),
        ("targets: {w: {address: a, protocol: rdp}}", "the protocol 'rdp' is not known"),
        (
            "targets: {w: {address: a, labels: {env: 1}}}",
            "targets.w.labels.env: YAML reads 1 as a number",
        ),
        ("targets: {w: {address: a, labels: {'e v': x}}}", "cannot be a label"),
        ("targets: {w: {address: a, settings: {indx: off}}}", "did you mean index?"),
        (
            "targets: {w: {address: a, settings: {connect_timeout: 0}}}",
            "targets.w.settings.connect_timeout: the target setting connect_timeout cannot be 0",
        ),
        ("targets: {w: {address: a, settings: {idle_timeout: 010}}}", "it must be a number from 0"),
        (
            "targets: {w: {address: a, settings: {idle_timeout: .inf}}}",
            "it must be a number from 0",
        ),
        ("targets: {w: {address: a, host_keys: [x]}}", "/etc/ssh/ssh_host_*_key.pub"),
        ("targets: {w: {address: a, accounts: {root: passwd}}}", "did you mean password?"),
        (
            "targets: {w: {address: a, accounts: {root: {secret: x}}}}",
            "an account has no key 'secret'",
        ),
        (
            "grants: {g: {account: r, target: w}}",
            "a grant says to whom with operator or with group",
        ),
        ("grants: {g: {operator: a, group: b, account: r, target: w}}", "a grant says to whom"),
        ("grants: {g: {operator: a, account: r}}", "a grant says on what"),
        (
            "grants: {g: {operator: a, account: r, labels: {}}}",
            "labels without any select every target",
        ),
        ("grants: {g: {operator: a, account: r, target: w, allow: []}}", "permits nothing"),
        (
            "grants: {g: {operator: a, account: r, target: w, allow: [shell], also: [exec]}}",
            "choose one",
        ),
        ("grants: {g: {operator: a, account: r, target: w, until: 8h}}", "'8h' is not a moment"),
        (
            "grants: {g: {operator: a, account: r, target: w, until: 2030-01-01}}",
            "is another moment in each time zone",
        ),
        (
            "grants: {g: {operator: a, account: r, target: w, until: 2030-01-01, zone: Mars/Base}}",
            "'Mars/Base' is not known",
        ),
        (
            "grants: {g: {operator: a, account: r, target: w, until: '0001-01-01', zone: Asia/Tokyo}}",
            "not a moment that can be kept",
        ),
        (
            "grants: {g: {operator: a, account: r, target: w, from: 2031-01-01Z, until: 2030-01-01Z}}",
            "is not a moment",
        ),
        (
            "grants: {g: {operator: a, account: r, target: w, zone: UTC, from: 2031-01-01, until: 2030-01-01}}",
            "it would end before it begins",
        ),
        (
            "grants: {g: {operator: a, account: r, target: w, days: Mon-Fri}}",
            "need the zone whose clock is meant",
        ),
        (
            "grants: {g: {operator: a, account: r, target: w, hours: 8-9, zone: UTC}}",
            "'8-9' is not a window of hours",
        ),
        (
            "grants: {g: {operator: a, account: r, target: w, networks: [10.0.0.1/8]}}",
            "did you mean 10.0.0.0/8?",
        ),
        (
            "grants: {g: {operator: a, account: r, target: w, max_sessions: 1.5}}",
            "a whole number from 0",
        ),
        ("grants: {g: {operator: a, account: r, target: w, comment: 4711}}", 'quote it: "4711"'),
    ],
)
def test_what_is_wrong_is_said_with_its_place_and_key(text: str, problem: str) -> None:
    found = "\n".join(wrong(text))

    assert problem in found


def test_everything_that_is_wrong_is_said_at_once() -> None:
    found = wrong("operators: {a: {rols: [x]}, b: {disabled: 1}}", "targets: {w: 1}", "x: [")

    assert [line.partition(": ")[0] for line in found] == [
        "a.yaml:1:17",
        "a.yaml:1:43",
        "b.yaml:1:14",
        "c.yaml:2:1",
    ]


def test_two_files_may_not_say_the_same_thing() -> None:
    found = wrong("targets: {web1: {address: a}}", "\ntargets: {WEB1: {address: a}}")

    assert found == [
        "b.yaml:2:11: targets.WEB1: there is already a target 'web1' at a.yaml:1:11; "
        "say all of it in one place"
    ]


def test_two_operators_may_not_have_one_key() -> None:
    found = wrong(f'operators: {{a: {{keys: ["{KEYS[0]} x"]}}, b: {{keys: ["{KEYS[0]} y"]}}}}')

    assert len(found) == 1
    assert "operators.b.keys: the key SHA256:" in found[0]
    assert "is already a key of a" in found[0]


def test_so_many_problems_are_said_and_the_rest_is_counted() -> None:
    problems = Problems()
    for line in range(MOST_PROBLEMS + 7):
        problems.add(Place("f", line, 1), "a", "wrong")

    with pytest.raises(FilesRefused) as refused:
        problems.check()
    assert len(refused.value.problems) == MOST_PROBLEMS
    assert str(refused.value).endswith("; and 7 more")


def test_every_setting_of_a_target_has_a_sentence() -> None:
    assert set(documents.SETTINGS) == set(settings.NAMES)


def test_a_path_is_shown_as_people_write_it() -> None:
    assert shown(("operators", "alice", "keys", 0)) == "operators.alice.keys[0]"
