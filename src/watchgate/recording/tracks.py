"""The two tracks of a recording and their keys.

MAIN holds output, errors, window sizes and events, INPUT what the operator typed. Each has a key of
its own, derived from the recording's data key, so that the output can be handed on without the input.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from watchgate.recording.format import FrameHeader, FrameType, nonce
from watchgate.secret import Secret

KEY_SIZE = 32


@dataclass(frozen=True, slots=True)
class TrackKeys:
    """What opens each track; without a key its track stays closed."""

    main: Secret | None
    input: Secret | None

    @classmethod
    def derive(cls, data_key: Secret, identity: bytes) -> TrackKeys:
        """Both keys (HKDF-SHA256, RFC 5869) from the data key; *identity* is the recording's id."""
        return cls(
            main=_derive(data_key, identity, b"watchgate main"),
            input=_derive(data_key, identity, b"watchgate input"),
        )

    def main_only(self) -> TrackKeys:
        """The same without what opens the input."""
        return TrackKeys(self.main, None)


def _derive(data_key: Secret, identity: bytes, info: bytes) -> Secret:
    hkdf = HKDF(algorithm=SHA256(), length=KEY_SIZE, salt=identity, info=info)
    return Secret(hkdf.derive(data_key.reveal()))


@dataclass(slots=True)
class TrackCipher:
    """AES-256-GCM over frames; the place of a frame in the file is part of what it authenticates."""

    keys: TrackKeys
    _ciphers: dict[int, AESGCM] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        pairs = ((FrameType.MAIN, self.keys.main), (FrameType.INPUT, self.keys.input))
        self._ciphers = {kind: AESGCM(key.reveal()) for kind, key in pairs if key is not None}

    def opens(self, kind: int) -> bool:
        """Whether frames of this type can be decrypted."""
        return kind in self._ciphers

    def seal(self, header: FrameHeader, head: bytes, chain: bytes, plain: bytes) -> bytes:
        """The body of the frame that *header* announces; *head* is it packed."""
        return self._ciphers[header.type].encrypt(nonce(header), plain, head + chain)

    def open(self, header: FrameHeader, head: bytes, chain: bytes, body: bytes) -> bytes | None:
        """The inverse; None when the key is another or the frame was changed or moved."""
        try:
            return self._ciphers[header.type].decrypt(nonce(header), body, head + chain)
        except InvalidTag:
            return None
