from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import asyncssh
import pytest
from catalog_world import change as changing
from sqlalchemy import event

from watchgate.catalog import journal, targets
from watchgate.catalog.change import Change
from watchgate.errors import ConfigurationError, NotFound, Refused
from watchgate.session.model import Address, HostKeyPolicy


@pytest.fixture
def change(tmp_path: Path) -> Iterator[Change]:
    with changing(tmp_path) as made:
        yield made


def key_line() -> str:
    return asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()


def test_a_target_is_what_was_added(change: Change) -> None:
    line = key_line()
    added = targets.add(
        change,
        "Web1",
        "WEB1.corp",
        2222,
        labels={"env": "prod"},
        values={"host_keys": "pinned"},
        host_keys=[line + "\n"],
    )

    assert targets.get(change.connection, "web1") == added
    assert added.address == Address("web1.corp", 2222)
    assert added.labels == {"env": "prod"}
    assert added.settings.host_keys is HostKeyPolicy.PINNED
    assert added.host_keys == (" ".join(line.split()[:2]),)


def test_a_name_is_taken_whatever_its_case(change: Change) -> None:
    targets.add(change, "web1", "a")
    with pytest.raises(ConfigurationError, match="there is already a target 'WEB1'"):
        targets.add(change, "WEB1", "b")


def test_an_unknown_target_names_the_nearest(change: Change) -> None:
    targets.add(change, "web1", "a")
    with pytest.raises(NotFound, match=r"did you mean web1\?"):
        targets.get(change.connection, "web2")


def test_targets_are_listed_by_labels(change: Change) -> None:
    for number in range(6):
        labels = {"env": "prod" if number % 2 else "test", "role": "web" if number < 3 else "db"}
        targets.add(change, f"t{number}", f"h{number}", labels=labels)
    listed = targets.list_all(change.connection, selector={"env": "prod", "role": "db"})

    assert [one.name for one in listed] == ["t3", "t5"]
    assert len(targets.list_all(change.connection)) == 6


def test_listing_takes_three_queries_whatever_the_number(change: Change) -> None:
    for number in range(30):
        targets.add(change, f"t{number}", f"h{number}", labels={"n": str(number)})
    seen: list[str] = []
    event.listen(
        change.connection, "before_cursor_execute", lambda *args: seen.append(str(args[2]))
    )
    targets.list_all(change.connection)

    assert len(seen) == 3


def test_what_is_not_said_is_kept(change: Change) -> None:
    targets.add(
        change, "web1", "a", 2222, labels={"env": "prod", "x": "y"}, values={"host_keys": "ca"}
    )
    after = targets.configure(
        change, "web1", host="b", labels={"x": None, "z": "1"}, values={"idle_timeout": 60}
    )

    assert after.address == Address("b", 2222)
    assert after.labels == {"env": "prod", "z": "1"}
    assert after.settings.host_keys is HostKeyPolicy.CA
    assert after.settings.idle_timeout == 60


@pytest.mark.parametrize("labels", [{"": "x"}, {"a b": "x"}, {"k": "a,b"}, {"k": "x=y"}])
def test_labels_that_a_selector_could_not_name_are_refused(
    change: Change, labels: dict[str, str]
) -> None:
    with pytest.raises(ConfigurationError, match="cannot be a label"):
        targets.add(change, "web1", "a", labels=labels)


def test_an_unknown_protocol_is_refused(change: Change) -> None:
    with pytest.raises(ConfigurationError, match="'telnet' is not known"):
        targets.add(change, "web1", "a", protocol="telnet")


@pytest.mark.parametrize("line", ["", "ssh-ed25519", "ssh-ed25519 AAAA", "garbage\n" * 3])
def test_what_is_no_key_is_not_pinned(change: Change, line: str) -> None:
    targets.add(change, "web1", "a")
    with pytest.raises(ConfigurationError, match="not an OpenSSH public key line"):
        targets.pin(change, "web1", line)


def test_keys_are_pinned_once_and_forgotten_together(change: Change) -> None:
    first, second = key_line(), key_line()
    targets.add(change, "web1", "a")
    pinned = [targets.pin(change, "web1", line) for line in (first, first, second)]

    assert [len(one.host_keys) for one in pinned] == [1, 1, 2]
    assert targets.unpin(change, "web1").host_keys == ()
    assert targets.get(change.connection, "web1").host_keys == ()


def test_only_the_first_key_seen_is_trusted(change: Change) -> None:
    added = targets.add(change, "web1", "a")
    line = key_line()

    assert targets.trust_first(change, added.id, line)
    assert not targets.trust_first(change, added.id, key_line())
    assert targets.get(change.connection, "web1").host_keys == (" ".join(line.split()[:2]),)


def test_a_removed_target_is_gone_with_its_name_free_again(change: Change) -> None:
    targets.add(change, "web1", "a", labels={"env": "prod"}, host_keys=[key_line()])
    targets.remove(change, "web1")
    again = targets.add(change, "web1", "b")

    assert again.labels == {}
    assert again.host_keys == ()


def test_every_change_is_in_the_journal(change: Change) -> None:
    targets.add(change, "web1", "a")
    targets.configure(change, "web1", port=23)
    targets.pin(change, "web1", key_line())
    targets.unpin(change, "web1")
    targets.remove(change, "web1")
    actions = [entry.event.data()["action"] for entry in journal.entries(change.connection)]

    assert actions == [
        "target.removed",
        "target.keys-cleared",
        "target.key-pinned",
        "target.changed",
        "target.added",
    ]


@pytest.fixture
def addressed(change: Change) -> Change:
    targets.add(change, "web1", "web1.corp")
    targets.add(change, "web2", "10.0.0.5", 2222)
    targets.add(change, "six", "2001:db8::1")
    targets.add(change, "both-a", "both.corp", 22)
    targets.add(change, "both-b", "both.corp", 2200)
    return change


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("web1", "web1"),
        ("WEB1", "web1"),
        ("web1:22", "web1"),
        ("web1.corp", "web1"),
        ("Web1.Corp.", "web1"),
        ("web1.corp:22", "web1"),
        ("web2", "web2"),
        ("web2:22", "web2"),
        ("web2:2222", "web2"),
        ("10.0.0.5", "web2"),
        ("::ffff:10.0.0.5", "web2"),
        ("10.0.0.5:2222", "web2"),
        ("10.0.0.5:22", "web2"),
        ("2001:DB8:0::1", "six"),
        ("[2001:db8::1]:22", "six"),
        ("both.corp:22", "both-a"),
        ("both.corp:2200", "both-b"),
    ],
)
def test_a_target_is_found_by_name_and_address(addressed: Change, text: str, name: str) -> None:
    assert targets.find_target(addressed.connection, text).name == name


@pytest.mark.parametrize(
    "text", ["web3", "web1:2200", "10.0.0.5:23", "10.0.0.6", "", "a b", "\udcff", "a\0"]
)
def test_what_is_not_there_is_not_found(addressed: Change, text: str) -> None:
    with pytest.raises(NotFound):
        targets.find_target(addressed.connection, text)


def test_an_address_of_two_targets_asks_for_a_name(addressed: Change) -> None:
    with pytest.raises(Refused, match="is the address of both-a, both-b: use a name"):
        targets.find_target(addressed.connection, "both.corp")

    assert targets.find_target(addressed.connection, "both.corp", 2200).name == "both-b"
