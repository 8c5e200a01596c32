"""What every verb is given: where the data is, how to answer, and a way into the gateway's parts.

`verb` registers a function and gives it the options that all verbs have; they may stand before the
noun or after the verb (`watchgate --json session list`, `watchgate session list --json`).
"""

from __future__ import annotations

import inspect
import os
import pwd
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from watchgate.clock import Clock, SystemClock
from watchgate.errors import ConfigurationError
from watchgate.layout import Paths, default_data_directory

if TYPE_CHECKING:
    from watchgate.catalog.change import Change
    from watchgate.catalog.database import Catalog
    from watchgate.settings import Settings
    from watchgate.vault.vault import Vault

DataOption = Annotated[
    Path | None, typer.Option("--data", metavar="DIR", help="The data directory.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Answer with one JSON document.")]
UtcOption = Annotated[bool, typer.Option("--utc", help="Show times in UTC, not in local time.")]
DebugOption = Annotated[bool, typer.Option("--debug", help="On failure show the traceback.")]


@dataclass(frozen=True, slots=True)
class Common:
    """The options that all verbs have."""

    data: Path | None = None
    json: bool = False
    utc: bool = False
    debug: bool = False


class Context:
    """One run of one verb."""

    def __init__(self, common: Common, clock: Clock | None = None) -> None:
        self.chosen_data = common.data
        """The data directory, when one was named on the command line."""
        self.data = Path(os.path.abspath((common.data or default_data_directory()).expanduser()))
        self.json = common.json
        self.utc = common.utc
        self.clock: Clock = clock or SystemClock()

    @cached_property
    def settings(self) -> Settings:
        """The settings of the gateway in the data directory."""
        from watchgate.settings import load

        return load(self.data)

    @property
    def paths(self) -> Paths:
        """Where that gateway's files lie."""
        return self.settings.paths

    @property
    def actor(self) -> str:
        """Who is at the keyboard, for the journal: the user, and whom sudo made of him."""
        user = _user_name()
        invoked_by = os.environ.get("SUDO_USER")
        return f"cli:{invoked_by} as {user}" if invoked_by and invoked_by != user else f"cli:{user}"

    @contextmanager
    def gateway(self) -> Iterator[Gateway]:
        """The gateway's catalog and vault; ConfigurationError when there is none in the directory."""
        from watchgate.catalog.database import Catalog
        from watchgate.vault.vault import Vault

        self.require_initialized()
        with Catalog.open(self.paths.catalog) as catalog:
            yield Gateway(catalog, Vault(self.paths.vault_key), self.clock, self.actor)

    def require_initialized(self) -> None:
        """Raise ConfigurationError unless `watchgate init` was here and we may read what it made."""
        try:
            present = Paths.under(self.data).catalog.exists()
        except PermissionError as error:
            raise ConfigurationError(
                f"{self.data} may not be read by {_user_name()}; "
                "run as root or as the user that serves",
                code="data.not-permitted",
            ) from error
        if not present:
            raise ConfigurationError(
                f"there is no gateway in {self.data}; make one with "
                f"`watchgate init --data {self.data}`, or name another directory with --data",
                code="data.not-initialized",
            )


@dataclass(frozen=True, slots=True)
class Gateway:
    """The parts of a gateway that a verb reads and changes."""

    catalog: Catalog
    vault: Vault
    clock: Clock
    actor: str

    @contextmanager
    def change(self) -> Iterator[Change]:
        """A transaction that is also an entry of the journal."""
        from watchgate.catalog.change import changing

        with changing(self.catalog, self.clock, self.actor) as change:
            yield change


def _user_name() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def verb(app: typer.Typer, name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Decorator: registers a function, whose first parameter is the `Context`, as a verb of *app*."""

    def register(function: Callable[..., None]) -> Callable[..., None]:
        app.command(name, no_args_is_help=False)(with_common_options(function))
        return function

    return register


def with_common_options(function: Callable[..., None]) -> Callable[..., None]:
    """*function* as typer calls it: its own options, and those that all verbs have."""
    common = inspect.signature(_common, eval_str=True).parameters
    own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]

    def called(**values: Any) -> None:
        said = {key: values.pop(key) for key in common}
        function(Context(_merged(**said)), **values)

    parameters = [
        parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for parameter in (*own, *common.values())
    ]
    called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    called.__annotations__ = {p.name: p.annotation for p in parameters}
    called.__doc__ = function.__doc__
    called.__name__ = function.__name__
    called.__module__ = function.__module__
    return called


def _common(
    typer_context: typer.Context,
    data: DataOption = None,
    as_json: JsonOption = False,
    utc: UtcOption = False,
    debug: DebugOption = False,
) -> None:
    """Has the parameters that every verb has."""


def _merged(
    typer_context: typer.Context, data: Path | None, as_json: bool, utc: bool, debug: bool
) -> Common:
    """What was said after the verb, over what was said before the noun."""
    before = typer_context.find_root().obj or Common()
    return Common(
        data=data or before.data,
        json=as_json or before.json,
        utc=utc or before.utc,
        debug=debug or before.debug,
    )
