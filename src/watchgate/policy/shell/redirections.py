"""Where the commands of a line read from and write to."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from watchgate.policy.reading import Reason, Redirect
from watchgate.policy.shell.calls import UNKNOWN, Around, Input
from watchgate.policy.shell.describing import every_path
from watchgate.policy.shell.fields import Field
from watchgate.policy.shell.limits import LONGEST_VALUE
from watchgate.policy.shell.nodes import Redirection
from watchgate.policy.shell.scope import Scope

if TYPE_CHECKING:
    from watchgate.policy.shell.reader import Reader

_WRITING = frozenset({">", ">>", ">|", "&>", "&>>"})
_SOCKETS = ("/dev/tcp/", "/dev/udp/")


class Redirected(NamedTuple):
    """What redirections make of a command's ends."""

    redirects: tuple[Redirect, ...]
    input: Input
    file: str | None = None
    """Where its standard output goes."""
    appends: bool = False
    away: bool = False
    """Its standard output does not go to the next command."""

    def caught(self, printed: str | None, scope: Scope) -> str | None:
        """Keep what was printed into a file, for the line may run it; what goes on to the next command."""
        if not self.away:
            return printed
        if self.file is not None:
            before = scope.files.get(self.file) if self.appends else ""
            if printed is None or before is None or len(before + printed) > LONGEST_VALUE:
                scope.files.pop(self.file, None)
            else:
                scope.files[self.file] = before + printed
        return ""


def redirected(
    reader: Reader, redirections: tuple[Redirection, ...], scope: Scope, around: Around
) -> Redirected:
    """Read *redirections* in their order."""
    found = Redirected((), around.input)
    if not redirections:
        return found
    redirects: list[Redirect] = []
    expansion = reader.expansion(scope, around)
    for one in redirections:
        if one.document is not None:
            body = one.document.body
            field = expansion.one(body) if body is not None else None
            found = found._replace(input=_fed(field))
            redirects.append(Redirect("<<", None, one.raw))
            continue
        target = expansion.one(one.target)
        path = _path(one, target, scope)
        redirects.append(Redirect(one.operator, path, one.raw))
        if target.text.startswith(_SOCKETS):
            reader.opaque(Reason.ELSEWHERE, one.raw)
        found = _applied(found, one, target, path, scope)
    return found._replace(redirects=tuple(redirects))


def _path(one: Redirection, target: Field, scope: Scope) -> str | None:
    """The file, where it is one."""
    if one.operator == "<<<" or target.fed:
        return None
    if one.operator in (">&", "<&") and (target.text.rstrip("-").isdigit() or target.text == "-"):
        return None
    if not target.known and target.where == "**":
        return None
    return every_path([target], scope)[0]


def _applied(
    found: Redirected, one: Redirection, target: Field, path: str | None, scope: Scope
) -> Redirected:
    operator, descriptor = one.operator, one.descriptor
    if operator == "<<<":
        return found._replace(input=_fed(target, "\n"))
    if operator in ("<", "<>") and descriptor in ("", "0"):
        if target.fed:
            return found._replace(input=Input(given=True, text=target.feed))
        return found._replace(input=Input(given=True, text=scope.files.get(path or ""), path=path))
    if operator == "<&":
        return found._replace(input=UNKNOWN)
    writes = operator in _WRITING or (operator == ">&" and path is not None)
    if writes and descriptor in ("", "1"):
        plain = path if target.plain else None
        return found._replace(file=plain, appends=operator.endswith(">>"), away=True)
    return found


def _fed(field: Field | None, end: str = "") -> Input:
    if field is None:
        return UNKNOWN
    return Input(given=True, text=field.text + end, partly=not field.plain)
