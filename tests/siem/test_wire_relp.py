"""RELP's frames: octets and messages, whole and octet by octet, and what is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchgate.errors import PeerProtocolError
from watchgate.siem.wire_relp import LAST_NUMBER, LONGEST_ANSWER, Answer, Client, Frame

OFFERS = b"relp_version=0\nrelp_software=librelp,1.11.0,http://librelp.adiscon.com\ncommands=syslog"
OPENED = b"1 rsp %d 200 OK\n%b\n" % (len(OFFERS) + 7, OFFERS)


def opened() -> Client:
    client = Client()
    client.open()
    return client


def test_the_first_frame_says_what_we_speak() -> None:
    frame = Client().open()
    data = b"relp_version=0\nrelp_software=watchgate\ncommands=syslog"

    assert frame.to_octets() == b"1 open %d %b\n" % (len(data), data)


def test_a_message_is_framed_with_its_number_and_length() -> None:
    assert opened().syslog("ä b".encode()).to_octets() == b"2 syslog 4 \xc3\xa4 b\n"


def test_a_frame_without_data_has_no_space_behind_its_length() -> None:
    assert opened().close().to_octets() == b"2 close 0\n"


def test_numbers_begin_again_after_the_last() -> None:
    client = Client()
    client._number = LAST_NUMBER - 1
    numbers = [client.syslog(b"x").number for _ in range(3)]

    assert numbers == [LAST_NUMBER, 1, 2]


@pytest.mark.parametrize("step", [1, 2, 7, 1000])
def test_answers_are_read_however_they_are_cut(step: int) -> None:
    client = opened()
    for _ in range(3):
        client.syslog(b"x")
    octets = OPENED + b"2 rsp 6 200 OK\n" + b"4 rsp 9 500 no\n\nx\n" + b"3 rsp 3 200\n"
    answers = [
        answer
        for start in range(0, len(octets), step)
        for answer in client.receive(octets[start : start + step])
    ]

    assert answers == [
        Answer(1, 200, "OK"),
        Answer(2, 200, "OK"),
        Answer(4, 500, "no"),
        Answer(3, 200, ""),
    ]
    assert client.outstanding == 0


def test_only_200_is_accepted() -> None:
    assert Answer(1, 200, "").accepted
    assert not Answer(1, 500, "").accepted


@pytest.mark.parametrize(
    ("octets", "says"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n", "does not speak RELP"),
        (b"\n", "does not speak RELP"),
        (b"x" * 100, "does not speak RELP"),
        (b"1 rsp 2 200\n", "does not speak RELP"),
        (b"1 rsp 3 200x", "does not speak RELP"),
        (b"1 rsp 0\nx", "no status"),
        (b"1 rsp 4 nope\n", "no status"),
        (b"9 rsp 3 200\n", "waits for no answer"),
        (b"0 serverclose 0\n", "closes the RELP session"),
        (b"1 syslog 3 200\n", "instead of an answer"),
        (b"1 rsp %d " % (LONGEST_ANSWER + 1), "announced an answer"),
        (b"9999999999 rsp 3 200\n", "does not speak RELP"),
        (b"-1 rsp 3 200\n", "does not speak RELP"),
    ],
)
def test_what_is_no_relp_is_refused(octets: bytes, says: str) -> None:
    with pytest.raises(PeerProtocolError, match=says):
        opened().receive(octets)


def test_the_same_answer_twice_is_refused() -> None:
    client = opened()
    client.receive(b"1 rsp 3 200\n")

    with pytest.raises(PeerProtocolError, match="waits for no answer"):
        client.receive(b"1 rsp 3 200\n")


@given(st.lists(st.binary(max_size=40), max_size=8))
def test_octets_of_any_kind_are_read_or_refused(pieces: list[bytes]) -> None:
    client = opened()
    for piece in pieces:
        try:
            client.receive(piece)
        except PeerProtocolError:
            return

    assert len(client._buffer) <= LONGEST_ANSWER + 100


@given(st.binary(min_size=1, max_size=300), st.integers(1, LAST_NUMBER))
def test_a_frame_is_as_long_as_it_says(data: bytes, number: int) -> None:
    octets = Frame(number, "syslog", data).to_octets()
    head, _, rest = octets.partition(b" syslog ")

    assert int(head) == number
    assert rest == b"%d %b\n" % (len(data), data)
