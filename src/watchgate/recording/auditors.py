"""Who may read recordings: age recipients, age identities, and the key file beside each recording.

Every recording has a data key of its own. It is wrapped to all auditors in a plain age file
`<recording>.key`, which `age -d -i auditor.key` opens as well as Watchgate. The gateway holds the
auditors' recipients only. Erasing the key file erases the recording in every copy, while its chain can
still be verified; adding an auditor rewrites key files and touches no evidence.

The plain text is one line: `watchgate-data-key-v1 <recording id> <base64>`, or `watchgate-main-key-v1 …`
in a file made by `share_output`, which opens the output but not the input.
"""

from __future__ import annotations

import base64
import binascii
import os
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyrage

from watchgate.errors import ConfigurationError, RecordingUnreadable
from watchgate.recording.keys import read_text, write_new
from watchgate.recording.tracks import KEY_SIZE, TrackKeys
from watchgate.secret import Secret

DATA_LABEL: Final = "watchgate-data-key-v1"
MAIN_LABEL: Final = "watchgate-main-key-v1"
_KEY_FILE_LIMIT = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Identity:
    """The private half of an auditor's age key."""

    key: Any
    recipient: str

    def __repr__(self) -> str:
        return f"Identity({self.recipient})"


def generate_identity() -> tuple[str, str]:
    """A fresh auditor: the text of an identity file, and its recipient (`age1…`)."""
    identity = pyrage.x25519.Identity.generate()
    recipient = str(identity.to_public())
    return f"# public key: {recipient}\n{identity}\n", recipient


def load_identities(path: Path) -> list[Identity]:
    """The identities in a file as `age-keygen` writes it; raises ConfigurationError naming it."""
    text = read_text(path, "the auditor's identity")
    if text.lstrip().startswith("-----BEGIN"):
        return [_ssh_identity(text, path)]
    found = [_identity(line, path) for line in _lines(text)]
    if not found:
        raise ConfigurationError(f"{path} holds no age identity (AGE-SECRET-KEY-1…)")
    return found


def load_recipients(path: Path) -> list[str]:
    """The recipients in a file, one a line; raises ConfigurationError naming file and line."""
    found = _lines(read_text(path, "the list of auditors"))
    if not found:
        raise ConfigurationError(
            f"{path} names no auditor; add a recipient (age1…), or nobody could read a recording"
        )
    for recipient in found:
        parse_recipient(recipient, str(path))
    return found


def parse_recipient(text: str, where: str = "the list of auditors") -> Any:
    """An `age1…` or `ssh-ed25519 …` recipient; raises ConfigurationError."""
    kind = pyrage.ssh.Recipient if text.startswith("ssh-") else pyrage.x25519.Recipient
    try:
        return kind.from_str(text)
    except pyrage.RecipientError as error:
        raise ConfigurationError(
            f"{text[:80]!r} in {where} is not an age recipient (age1… or ssh-ed25519 …): {error}"
        ) from error


def wrap(recording: str, data_key: Secret, recipients: Sequence[Any]) -> bytes:
    """The octets of a key file; *recipients* are as `parse_recipient` gives them."""
    if not recipients:
        raise ConfigurationError("no auditor to wrap the key of a recording to")
    return _encrypt(_line(DATA_LABEL, recording, data_key), recipients)


def unwrap(key_file: Path, identities: Sequence[Identity], recording: str) -> TrackKeys:
    """What the key file of *recording* opens with *identities*; raises RecordingUnreadable."""
    label, key = _open(key_file, identities, recording)
    if label == MAIN_LABEL:
        return TrackKeys(main=key, input=None)
    return TrackKeys.derive(key, uuid.UUID(recording).bytes)


def rewrap(
    key_file: Path, identities: Sequence[Identity], recipients: Sequence[str], recording: str
) -> None:
    """Give the key to exactly *recipients*, replacing the file atomically."""
    label, key = _open(key_file, identities, recording)
    parsed = [parse_recipient(text) for text in recipients]
    fresh = key_file.with_name(key_file.name + ".new")
    fresh.unlink(missing_ok=True)
    write_new(fresh, _encrypt(_line(label, recording, key), parsed), 0o600)
    fresh.replace(key_file)
    sync_directory(key_file.parent)


def share_output(
    key_file: Path,
    identities: Sequence[Identity],
    recipients: Sequence[str],
    recording: str,
    copy: Path,
) -> None:
    """Write *copy*, a key file that opens the output and events of *recording* but not its input."""
    keys = unwrap(key_file, identities, recording)
    if keys.main is None:
        raise RecordingUnreadable(f"{key_file} does not open the output of {recording}")
    parsed = [parse_recipient(text) for text in recipients]
    write_new(copy, _encrypt(_line(MAIN_LABEL, recording, keys.main), parsed), 0o600)


def erase(key_file: Path) -> None:
    """Destroy the key: its recording can never be read again, in any copy; it still verifies.

    The file is overwritten before it is removed; copies of key files (backups) must be erased too.
    """
    try:
        with open(key_file, "r+b") as file:
            file.write(os.urandom(os.fstat(file.fileno()).st_size))
            file.flush()
            os.fsync(file.fileno())
        key_file.unlink()
        sync_directory(key_file.parent)
    except FileNotFoundError as error:
        raise RecordingUnreadable(f"{key_file} is not there: the key is erased already") from error
    except OSError as error:
        raise ConfigurationError(f"{key_file} cannot be erased: {error.strerror}") from error


def sync_directory(path: Path) -> None:
    """Make the names in a directory durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _lines(text: str) -> list[str]:
    """Lines with content; a comment is a line of its own, since an SSH recipient may hold `#`."""
    stripped = (line.strip() for line in text.splitlines())
    return [line for line in stripped if line and not line.startswith("#")]


def _identity(line: str, path: Path) -> Identity:
    try:
        key = pyrage.x25519.Identity.from_str(line)
    except pyrage.IdentityError as error:
        # The line is a secret, even when it is not a good one: it is not quoted.
        raise ConfigurationError(f"{path} holds a line that is not an age identity") from error
    return Identity(key, str(key.to_public()))


def _ssh_identity(text: str, path: Path) -> Identity:
    try:
        key = pyrage.ssh.Identity.from_buffer(text.encode())
    except pyrage.IdentityError as error:
        raise ConfigurationError(f"{path} is not a usable SSH private key: {error}") from error
    return Identity(key, f"the SSH key {path.name}")


def _line(label: str, recording: str, key: Secret) -> bytes:
    return f"{label} {recording} {base64.b64encode(key.reveal()).decode()}\n".encode()


def _encrypt(line: bytes, recipients: Sequence[Any]) -> bytes:
    try:
        return bytes(pyrage.encrypt(line, list(recipients)))
    except pyrage.EncryptError as error:
        raise ConfigurationError(f"a recording's key cannot be wrapped: {error}") from error


def _open(key_file: Path, identities: Sequence[Identity], recording: str) -> tuple[str, Secret]:
    try:
        line = bytes(pyrage.decrypt(_read(key_file), [identity.key for identity in identities]))
    except pyrage.DecryptError as error:
        raise RecordingUnreadable(
            f"{key_file} was not wrapped to this auditor or is damaged: use the identity of one of"
            " its recipients, or ask an auditor who has one to rewrap it"
        ) from error
    return _parse_line(line, recording, key_file)


def _read(key_file: Path) -> bytes:
    try:
        with open(key_file, "rb") as file:
            octets = file.read(_KEY_FILE_LIMIT + 1)
    except FileNotFoundError as error:
        raise RecordingUnreadable(
            f"the key {key_file} is not there: it was erased, or the recording was copied without"
            " its key file. Without it nothing can be decrypted; the chain can still be verified"
        ) from error
    except OSError as error:
        raise RecordingUnreadable(f"{key_file} cannot be read: {error.strerror}") from error
    if len(octets) > _KEY_FILE_LIMIT:
        raise RecordingUnreadable(f"{key_file} is too big for a key file; it is not opened")
    return octets


def _parse_line(line: bytes, recording: str, key_file: Path) -> tuple[str, Secret]:
    words = line.decode("ascii", "replace").split()
    try:
        label, owner, text = words
        key = base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        label, owner, key = "", "", b""
    if label not in (DATA_LABEL, MAIN_LABEL) or len(key) != KEY_SIZE:
        raise RecordingUnreadable(f"{key_file} holds something else than a recording's key")
    if owner != recording:
        raise RecordingUnreadable(f"{key_file} is the key of recording {owner}, not of {recording}")
    return label, Secret(key)
