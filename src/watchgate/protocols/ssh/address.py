"""How an operator names a target in SSH: the user name, or the destination of a jump.

    alice                     the menu, or the outer login of a jump
    alice+root@web1           operator, account and target in the user name
    alice+root                operator and account, on a listener bound to a target
    alice@web1                operator and target; the account is the one that is granted

A user name holds no `:` and no `/`, so that scp, sftp and rsync can carry it. The last `@` divides:
account names may hold one (`svc@corp`), target names may not.
"""

from __future__ import annotations

from dataclasses import dataclass

NAME_LIMIT = 255
"""Octets of a user name that are looked at; longer ones are nobody's."""


@dataclass(frozen=True, slots=True)
class Destination:
    """What a user name says: the operator, and perhaps the account and the target."""

    operator: str
    account: str | None = None
    target: str | None = None


def parse(user: str) -> Destination:
    """The destination that *user* names; what makes no sense is an operator that nobody has."""
    if len(user) > NAME_LIMIT:
        return Destination(operator=user[:NAME_LIMIT])
    rest, at, target = user.rpartition("@")
    if not at:
        rest, target = user, ""
    operator, plus, account = rest.partition("+")
    return Destination(
        operator=operator,
        account=account if plus and account else None,
        target=target or None,
    )


def parse_jump(user: str, outer: Destination) -> Destination:
    """The destination of an inner login `user@host` through the jump of *outer*.

    The jump has authenticated the operator, so *user* is the account; `alice+root` is understood
    too. The target is the host that the jump asked for and is not in the user name.
    """
    inner = parse(user)
    account = inner.account if inner.account and inner.operator == outer.operator else user
    return Destination(operator=outer.operator, account=account or outer.account)
