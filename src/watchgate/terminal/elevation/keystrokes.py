"""A secret as it is typed into a prompt."""

from __future__ import annotations

from watchgate.errors import ConfigurationError
from watchgate.secret import Secret

LONGEST = 511
"""Octets that PAM takes as an answer."""


def keystrokes(secret: Secret, device: str = "unix") -> Secret:
    """The password and the key that ends it.

    Raises ConfigurationError for one that a terminal would take for something else.
    """
    octets = secret.reveal()
    if not 0 < len(octets) <= LONGEST:
        raise ConfigurationError(
            f"a password of {len(octets)} octets cannot be typed into a prompt; "
            f"between 1 and {LONGEST} can",
            code="elevation.untypable",
        )
    if any(octet < 0x20 or octet == 0x7F for octet in octets):
        raise ConfigurationError(
            "the password holds a control character, which a terminal takes for a key and not for a "
            "part of it; give the account another one",
            code="elevation.untypable",
        )
    return Secret(octets + (b"\n" if device == "unix" else b"\r"))
