"""Elevations that are answered from the vault: in which order, once, and never where it is not asked."""

from __future__ import annotations

from dataclasses import replace

import pytest
from gated_seat import OFF, PROMPT, GatedSeat, mark
from judged import policy

from watchgate.protocols.ssh.effects import Commit, Note, SendSecret
from watchgate.session.events import SecretInjected, SecretRejected, SecretWithheld
from watchgate.session.ports import RecordKind

SUDO = b" r=sudo=/usr/bin/sudo"
PASSWORD = b"correct horse"


def asking(*, account: str = "", line: bytes = b"sudo id", facts: bytes = SUDO) -> GatedSeat:
    """sudo runs, and shows the prompt that the gateway gave it."""
    seat = GatedSeat(replace(policy(), elevation=account)).hooked()
    seat.tells(line, facts)
    seat.prints(mark(b"K"), mark(b"S", token(seat)) + b"[sudo] password for ops: ")
    seat.waits(0.5)
    return seat


def token(seat: GatedSeat) -> bytes:
    """What the last verdict gave to the shell."""
    return bytes(seat.sent).rpartition(b".A")[2].strip().lstrip(b".")


def injected(seat: GatedSeat) -> SecretInjected:
    (event,) = seat.all(SecretInjected)
    return event


def test_the_prompt_of_the_elevation_is_answered_and_it_is_in_the_file_before() -> None:
    seat = asking()
    seat.gives(seat.fetched[0].ticket, PASSWORD)

    kinds = [type(e.event) if isinstance(e, Note) else type(e) for e in seat.done]
    noted = kinds.index(SecretInjected)
    assert kinds[noted + 1] is Commit
    assert kinds.index(SendSecret) > noted + 1
    assert [one.secret.reveal() for one in seat.typed_secrets] == [PASSWORD + b"\n"]
    assert injected(seat).proof == "integration"
    assert injected(seat).command_seq == 1
    assert PASSWORD.decode() not in repr(seat.done)


def test_the_secret_of_the_account_that_the_grant_names_is_fetched() -> None:
    seat = asking(account="wheel")
    seat.gives(seat.fetched[0].ticket, PASSWORD)

    assert [one.account for one in seat.fetched] == ["wheel"]
    assert injected(seat).account == "wheel"


def test_without_a_grant_nothing_is_fetched_and_no_token_given() -> None:
    seat = GatedSeat().hooked()
    seat.tells(b"sudo id", SUDO)
    seat.prints(mark(b"K"), b"[sudo] password for ops: ")
    seat.waits(2)

    assert token(seat) == b""
    assert seat.fetched == []


def test_an_answer_to_another_question_is_not_used() -> None:
    seat = asking()
    seat.gives(seat.fetched[0].ticket + 1, PASSWORD)

    assert seat.typed_secrets == []

    seat.gives(seat.fetched[0].ticket, PASSWORD)
    seat.gives(seat.fetched[0].ticket, PASSWORD)

    assert len(seat.typed_secrets) == 1


def test_what_the_operator_types_himself_ends_the_gateways_answer() -> None:
    seat = asking()
    seat.types(b"x")
    seat.gives(seat.fetched[0].ticket, PASSWORD)

    assert seat.typed_secrets == []
    assert seat.all(SecretInjected) == []


def test_a_prompt_that_is_gone_when_the_vault_answers_gets_nothing() -> None:
    seat = asking()
    seat.prints(b"\r\n", mark(b"D", b" s=1 d=/home/ops"), PROMPT, mark(b"B"))
    seat.gives(seat.fetched[0].ticket, PASSWORD)

    assert seat.typed_secrets == []


@pytest.mark.parametrize("given", [b"cafe", b"00" * 16])
def test_a_prompt_with_another_token_gets_nothing(given: bytes) -> None:
    seat = GatedSeat(replace(policy(), elevation="")).hooked()
    seat.tells(b"sudo id", SUDO)
    seat.prints(mark(b"K"), mark(b"S", given) + b"[sudo] password for ops: ")
    seat.waits(2)

    assert seat.fetched == []
    assert len(seat.all(SecretWithheld)) == 1


def test_a_prompt_that_a_program_imitates_gets_nothing() -> None:
    seat = GatedSeat(replace(policy(), elevation="")).hooked()
    seat.tells(b"./imitation")
    seat.prints(mark(b"K"), b"[sudo] password for ops: ")
    seat.waits(2)

    assert seat.fetched == []


def test_a_sudo_that_is_a_function_of_the_operators_gets_no_token() -> None:
    seat = GatedSeat(replace(policy(), elevation="")).hooked()
    seat.tells(b"sudo id", b" f=sudo")
    seat.prints(mark(b"K"), b"[sudo] password for ops: ")
    seat.waits(2)

    assert token(seat) == b""
    assert seat.fetched == []


def test_an_account_without_a_password_leaves_the_prompt_to_the_operator() -> None:
    seat = asking()
    seat.gives(seat.fetched[0].ticket, None)
    seat.types(b"typed\r")

    (withheld,) = seat.all(SecretWithheld)
    assert "no password" in withheld.reason
    assert seat.typed_secrets == []
    assert seat.sent.endswith(b"typed\r") or seat.sent.endswith(b"typed")


def test_a_password_that_cannot_be_typed_is_withheld_and_not_told() -> None:
    seat = asking()
    seat.gives(seat.fetched[0].ticket, b"a\x03b")

    (withheld,) = seat.all(SecretWithheld)
    assert "control character" in withheld.reason
    assert seat.typed_secrets == []


def test_a_password_that_the_target_prints_is_seen_and_recorded_by_nobody() -> None:
    seat = asking()
    seat.gives(seat.fetched[0].ticket, PASSWORD)
    seat.prints(b"\r\nyou said ", PASSWORD[:5], PASSWORD[5:], b", thanks\r\n")
    seat.waits(1)

    assert PASSWORD not in seat.seen
    assert PASSWORD not in seat.recorded[RecordKind.OUTPUT]
    assert b"you said " in seat.seen
    assert b", thanks\r\n" in seat.seen


def test_what_only_begins_like_the_password_is_shown_after_a_moment() -> None:
    seat = asking()
    seat.gives(seat.fetched[0].ticket, PASSWORD)
    seat.prints(b"\r\n", PASSWORD[:5])
    held = bytes(seat.seen)
    seat.waits(0.2)

    assert not held.endswith(PASSWORD[:5])
    assert seat.seen.endswith(PASSWORD[:5])


def test_a_wrong_password_is_said_and_nothing_is_answered_again() -> None:
    seat = asking()
    seat.gives(seat.fetched[0].ticket, PASSWORD)
    again = mark(b"S", token(seat)) + b"[sudo] password for ops: "
    seat.prints(b"\r\nSorry, try again.\r\n" + again)
    seat.waits(1)
    seat.types(b"\x03")
    seat.prints(b"\r\n", mark(b"D", b" s=1 d=/home/ops"), PROMPT, mark(b"B"))
    seat.tells(b"sudo id", SUDO)
    seat.prints(mark(b"K"), b"[sudo] password for ops: ")
    seat.waits(2)

    assert len(seat.all(SecretRejected)) == 1
    assert len(seat.fetched) == len(seat.typed_secrets) == 1


def test_a_shell_in_a_shell_is_given_nothing() -> None:
    seat = GatedSeat(replace(policy(), elevation="")).hooked()
    seat.tells(b"bash")
    seat.prints(mark(b"K"), PROMPT)
    seat.waits(0.3)
    seat.prints(mark(b"V", b" v5.2 v v"), mark(b"R", b" bash 5.2"))
    seat.prints(mark(b"D", b" s=0 d=/"), PROMPT, mark(b"B"))
    seat.waits(0.3)
    seat.types(b"sudo id\r")
    seat.prints(b"sudo id" + OFF, mark(b"L", b" $'t=sudo id'" + SUDO))
    seat.waits(0.3)

    assert seat.fetched == []
