from __future__ import annotations

import pytest

from watchgate.errors import ConfigurationError
from watchgate.secret import Secret
from watchgate.terminal.elevation.keystrokes import keystrokes


def test_a_password_is_typed_with_the_key_that_ends_it() -> None:
    assert keystrokes(Secret("pä ss")) == Secret("pä ss\n")
    assert keystrokes(Secret("pass"), "cisco") == Secret("pass\r")


@pytest.mark.parametrize("octets", [b"", b"x" * 512, b"a\x03b", b"a\nb", b"a\x7f", b"\x1b[A"])
def test_what_a_terminal_takes_for_keys_is_not_typed(octets: bytes) -> None:
    with pytest.raises(ConfigurationError) as refused:
        keystrokes(Secret(octets))

    assert octets == b"" or octets.decode() not in str(refused.value)
