"""How both sides open, and what they agree on."""

from __future__ import annotations

import pytest

from watchgate.transfers.rsync_claim import claims
from watchgate.transfers.rsync_handshake import Handshake
from watchgate.transfers.rsync_wire import Compat, Cursor, Short, Unreadable

SEED = b"seed"


def names(*lists: str) -> bytes:
    return b"".join(bytes([len(names)]) + names.encode() for names in lists)


def version(number: int) -> bytes:
    return number.to_bytes(4, "little")


def shake(options: str, client: bytes, server: bytes) -> Handshake:
    """Both openings in full, as far as each can be read before the other."""
    claim = claims(f"rsync --server {options} . x")
    assert claim is not None
    handshake = Handshake(claim)
    walks = Cursor(memoryview(client)), Cursor(memoryview(server))
    for _ in range(8):
        _advance(handshake, *walks)
    assert walks[0].at == walks[0].end
    assert walks[1].at == walks[1].end
    return handshake


def _advance(handshake: Handshake, client: Cursor, server: Cursor) -> None:
    for walk, read, done in (
        (client, handshake.client, handshake.client_done),
        (server, handshake.server, handshake.server_done),
    ):
        mark = walk.at
        try:
            if not done:
                read(walk)
        except Short:
            walk.at = mark


def test_the_clients_first_choice_that_the_server_has_is_taken() -> None:
    handshake = shake(
        "-rze.iLsfxCIvu",
        version(32) + names("xxh128 sha1 md5", "brotli lz4 zstd"),
        version(31) + b"\x81\xff" + names("md5 sha1", "zstd lz4 none") + SEED,
    )
    terms = handshake.terms()

    assert terms is not None
    assert (terms.protocol, terms.compression) == (31, "lz4")
    assert (terms.checksum_length, terms.list_checksum_length) == (20, 20)
    assert Compat.INC_RECURSE in terms.compat


def test_older_sides_agree_on_nothing_but_flags() -> None:
    handshake = shake("-rze.iLsfxC", version(31), version(31) + b"\x3f" + SEED)
    terms = handshake.terms()

    assert terms is not None
    assert (terms.compression, terms.checksum_length) == ("zlib", 16)


def test_protocol_29_has_versions_and_a_seed() -> None:
    handshake = shake("-r", version(29), version(32) + SEED)
    terms = handshake.terms()

    assert terms is not None
    assert (terms.protocol, terms.compat) == (29, Compat(0))


def test_what_the_arguments_name_is_not_negotiated() -> None:
    handshake = shake(
        "-rce.v --compress-choice=zstd --checksum-choice=xxh64,md5",
        version(32),
        version(32) + b"\x81\xff" + SEED,
    )
    terms = handshake.terms()

    assert terms is not None
    assert (terms.compression, terms.checksum_length, terms.list_checksum_length) == (
        "zstd",
        8,
        16,
    )


def test_there_are_no_terms_before_both_have_opened() -> None:
    handshake = shake("-re.v", version(32), version(32))

    assert handshake.terms() is None


@pytest.mark.parametrize("options", ["-re.v --checksum-choice=crc8", "-re.v --compress-choice=xz"])
def test_a_method_that_is_not_known_is_unreadable(options: str) -> None:
    common = names("md5") if "checksum" not in options else b""
    handshake = shake(options, version(32) + common, version(32) + b"\x81\xff" + common + SEED)

    with pytest.raises(Unreadable):
        handshake.terms()
