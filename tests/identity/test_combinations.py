from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchgate.errors import ConfigurationError
from watchgate.identity.combinations import Combinations, Method

K, P, T = Method.PUBLICKEY, Method.PASSWORD, Method.TOTP


def test_methods_come_in_their_order() -> None:
    ways = Combinations.parse(["publickey", "password + totp"])

    assert ways.next(()) == {K, P}
    assert ways.next((P,)) == {T}
    assert ways.next((K,)) == set()
    assert not ways.complete((P,))
    assert ways.complete((K,))
    assert ways.complete((P, T))
    assert not ways.complete((T, P))
    assert ways.describe() == ("publickey", "password+totp")


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ([], "nobody could log in"),
        (["pubkey"], "did you mean publickey?"),
        (["fingers"], "there are publickey, password, totp"),
        (["password+password"], "one method twice"),
        (["totp"], "six digits and no login"),
        ([""], "no method ''"),
        (["password+"], "no method ''"),
    ],
)
def test_what_makes_no_sense_is_refused(texts: list[str], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Combinations.parse(texts)


@given(
    st.lists(
        st.permutations(list(Method)).flatmap(
            lambda order: st.integers(1, 3).map(lambda length: "+".join(order[:length]))
        ),
        min_size=1,
        max_size=4,
    ).filter(lambda texts: "totp" not in texts)
)
def test_following_what_is_open_always_completes_a_way(texts: list[str]) -> None:
    ways = Combinations.parse(texts)
    done: tuple[Method, ...] = ()
    while not ways.complete(done):
        done = (*done, min(ways.next(done)))

    assert "+".join(done) in texts
