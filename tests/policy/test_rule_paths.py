"""When a path is surely one that a pattern means."""

from __future__ import annotations

import pytest

from watchgate.policy.pathmatch import beginning, path_truth
from watchgate.policy.truth import MAY, NO, YES, Truth, negated, one_or_each


@pytest.mark.parametrize(
    ("path", "pattern", "expected"),
    [
        ("/etc/x", "/etc/**", YES),
        ("/etc", "/etc/**", YES),
        ("/etcx", "/etc/**", NO),
        ("/usr/x", "/etc/**", NO),
        ("/etc/*", "/etc/**", YES),
        ("/etc/a/*.conf", "/etc/**", YES),
        ("/etc/.*", "/etc/**", MAY),
        ("/etc/[.]*", "/etc/**", MAY),
        ("/e*/x", "/etc/**", MAY),
        ("/**", "/etc/**", MAY),
        ("/etc/**", "/etc/**", MAY),
        ("/etc/*", "/etc/x", MAY),
        ("/x", "/*", YES),
        ("?/id_rsa", "id_rsa", YES),
        ("?/x", "/etc/**", NO),
        ("/", "/", YES),
        ("/*", "/", MAY),
    ],
)
def test_a_path_is_surely_perhaps_or_not_meant(path: str, pattern: str, expected: Truth) -> None:
    assert path_truth(path, pattern) is expected


def test_a_path_begins_with_its_plain_directories() -> None:
    assert beginning("/etc/x/y") == ("etc", "x")
    assert beginning("/etc/*/y") == ("etc",)
    assert beginning("/{a,b}/y") == ()
    assert beginning("?/x") == beginning("/") == ()


def test_what_is_not_known_stays_so_beneath_not() -> None:
    assert [negated(truth) for truth in Truth] == [YES, MAY, MAY, NO]


def test_of_nothing_neither_one_nor_each_holds() -> None:
    assert one_or_each([], True) is one_or_each([], False) is NO
    assert (one_or_each([YES, NO], True), one_or_each([YES, NO], False)) == (NO, YES)
