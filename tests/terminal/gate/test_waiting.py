"""Keys that wait for a verdict: order, bounds, and what goes with a blocked paste."""

from __future__ import annotations

from watchgate.terminal.gate.waiting import FULL_OCTETS, OPEN_PASTE_US, PAUSE_US, WaitingKeys

BEGIN, END = b"\x1b[200~", b"\x1b[201~"


def drained(keys: WaitingKeys) -> bytes:
    found = b""
    while keys:
        found += keys.next().octets
    return found


def test_keys_come_out_in_the_order_in_which_they_were_typed() -> None:
    keys = WaitingKeys()

    keys.typed(0, b"ls\r")
    keys.typed(10, b"\x1b[A\r")

    assert drained(keys) == b"ls\r\x1b[A\r"


def test_each_enter_of_a_run_is_a_key_of_its_own() -> None:
    keys = WaitingKeys()
    keys.typed(0, b"\r\r\r")

    first = keys.next()

    assert first.octets == b"\r"
    assert drained(keys) == b"\r\r"


def test_what_a_shell_gave_back_comes_before_what_waits() -> None:
    keys = WaitingKeys()
    keys.typed(0, b"second\r")

    keys.again(b"first\r")

    assert drained(keys) == b"first\rsecond\r"


def test_an_escape_that_nothing_follows_is_the_key() -> None:
    keys = WaitingKeys()
    keys.typed(0, b"\x1b")
    assert not keys
    assert keys.due is not None

    keys.expire(keys.due)

    assert drained(keys) == b"\x1b"


def test_it_is_full_before_it_grows_without_end() -> None:
    keys = WaitingKeys()

    keys.typed(0, b"x" * (FULL_OCTETS - 1))
    before = keys.full
    keys.typed(0, b"y")

    assert not before
    assert keys.full
    drained(keys)
    assert not keys.full


def test_the_rest_of_a_paste_is_dropped_with_what_waits_and_counted() -> None:
    keys = WaitingKeys()
    keys.typed(0, b"two\rthree\r")
    keys.drop()
    keys.typed(1000, b"four\rfive")

    early = keys.dropped(2000)
    late = keys.dropped(1000 + PAUSE_US)

    assert not keys
    assert early is None
    assert late == (3, len(b"two\rthree\rfour\rfive"))
    assert keys.dropped(10 * PAUSE_US) is None


def test_what_is_typed_after_a_pause_is_not_part_of_the_paste() -> None:
    keys = WaitingKeys()
    keys.typed(0, b"two\r")
    keys.drop()

    keys.typed(PAUSE_US + 1, b"ls\r")

    assert drained(keys) == b"ls\r"


def test_nothing_is_dropped_where_nothing_waits() -> None:
    keys = WaitingKeys()
    keys.typed(0, b"")

    keys.drop()
    keys.typed(1, b"ls\r")

    assert drained(keys) == b"ls\r"


def test_a_target_that_heard_of_a_paste_hears_of_its_end() -> None:
    keys = WaitingKeys()
    keys.typed(0, BEGIN + b"one\rtwo")
    passed = keys.next().octets
    keys.drop()

    keys.typed(10, b"three\r" + END)

    assert passed == BEGIN
    assert drained(keys) == END


def test_the_end_of_a_marked_paste_ends_the_dropping() -> None:
    keys = WaitingKeys()
    keys.typed(0, BEGIN + b"one\rtwo")
    keys.next()
    keys.drop()
    keys.typed(10, b"three\r" + END)

    lost = keys.dropped(11)
    drained(keys)
    keys.typed(12, b"ls\r")

    assert lost is not None
    assert lost[0] == 2
    assert drained(keys) == b"ls\r"


def test_a_paste_that_never_ends_is_over_after_a_while() -> None:
    keys = WaitingKeys()
    keys.typed(0, b"two\r" + BEGIN + b"three\r")
    keys.drop()
    keys.typed(OPEN_PASTE_US - 1, b"four\r")

    early = keys.dropped(OPEN_PASTE_US)
    due = keys.due
    late = keys.dropped(2 * OPEN_PASTE_US - 1)
    keys.typed(2 * OPEN_PASTE_US, b"ls\r")

    assert early is None
    assert due == 2 * OPEN_PASTE_US - 1
    assert late == (3, len(b"two\r" + BEGIN + b"three\rfour\r"))
    assert drained(keys) == b"ls\r"
    assert keys.due is None


def test_what_was_dropped_is_due_to_be_said_though_typing_went_on() -> None:
    keys = WaitingKeys()
    keys.typed(0, b"two\r")
    keys.drop()
    keys.typed(PAUSE_US + 1, b"ls\r")

    assert keys.due == PAUSE_US + 1
    assert keys.dropped(PAUSE_US + 1) == (1, len(b"two\r"))
    assert keys.due is None


def test_an_interrupt_is_found_and_takes_what_stood_before_it() -> None:
    keys = WaitingKeys()
    keys.typed(0, b"abc")
    assert not keys.interrupted()

    keys.typed(1, b"\x03ls")

    assert keys.interrupted()
    assert drained(keys) == b"ls"
