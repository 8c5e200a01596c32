"""The command as a whole: which nouns there are, and what a failure looks like.

A noun's module is imported only when its word is on the command line, so that `watchgate --help` and
shell completion answer at once: the catalog and the SSH library take longer to import than most
commands take to run.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import traceback
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import typer
import typer.core

from watchgate import __version__
from watchgate.cli.context import Common, DataOption, DebugOption, JsonOption, UtcOption
from watchgate.errors import ConfigurationError, NotFound, Refused, WatchgateError

NOUNS: dict[str, str] = {
    "init": "Make a data directory: keys, catalog, settings.",
    "serve": "Serve: let operators in, record, until told to stop.",
    "demo": "Try it: a gateway and a target on this machine, for this user.",
    "doctor": "Look for what is wrong: clock, disk, keys, ports, permissions.",
    "settings": "Show every setting, its value, and where it came from.",
    "operator": "The people who work through the gateway.",
    "target": "The machines behind the gateway.",
    "account": "The identities used on targets; their secrets are in the vault.",
    "grant": "Who may reach which account on which target, and when.",
    "apply": "Bring operators, targets and grants to what files say.",
    "export-config": "Write operators, targets and grants as files.",
    "session": "What happened: list, show, play, export, verify; end a session.",
    "rules": "Which commands are audited: apply, list, test, lint, explain, backtest.",
    "policy": "What held in a session, exactly.",
    "approval": "Commands that wait for somebody else's word: list, approve, refuse.",
    "score": "How much operators, targets and accounts gave the rules to say, of late.",
    "search": "Find sessions by what was done in them.",
    "journal": "What happened outside of sessions: logins, changes, replays.",
    "coverage": "The targets' own logs beside ours: who came round the gateway.",
    "report": "What an operator did, or what was done on a target, to hand on.",
    "siem": "Where events go besides: how each sink stands, and a try.",
    "vault": "The key that seals the secrets of accounts.",
    "recipient": "The auditors, who can open recordings.",
    "reindex": "Build the catalog's lists again from the recordings.",
}
"""Each noun, with its line in `watchgate --help`; its module is watchgate.cli.NOUN, with _ for -."""

EXIT_OTHER = 1
EXIT_CONFIGURATION = 2
EXIT_NOT_FOUND = 3
EXIT_INTERRUPTED = 130

EPILOG = (
    "Exit status: 0 done, 1 it failed, 2 usage or configuration, 3 not found or refused. "
    "Watchgate's data lies in --data DIR, else WATCHGATE_DATA, else /var/lib/watchgate for root "
    "and ~/.local/share/watchgate for others."
)


class _InOrder(typer.core.TyperGroup):
    """Shows the nouns in the order of their table, whichever are loaded."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(NOUNS)


def application(nouns: Iterable[str] = tuple(NOUNS)) -> typer.Typer:
    """The command with the modules of *nouns*; of the others only their names and sentences."""
    loaded = set(nouns)
    app = typer.Typer(
        name="watchgate",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        # Plain help: importing rich for it would take longer than all the rest.
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback(cls=_InOrder, epilog=EPILOG)(_root)
    for noun, sentence in NOUNS.items():
        if noun not in loaded:
            app.command(noun, help=sentence)(_not_loaded)
            continue
        module = importlib.import_module(f"watchgate.cli.{noun.replace('-', '_')}")
        if hasattr(module, "app"):
            app.add_typer(module.app, name=noun, help=sentence, no_args_is_help=True)
        else:
            app.command(noun, help=sentence)(module.command)
    return app


def _not_loaded() -> None:
    """Stands for a noun that this command line does not name."""
    raise AssertionError("a noun was called whose module was not imported")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"watchgate {__version__}")
        raise typer.Exit


def _root(
    context: typer.Context,
    data: DataOption = None,
    as_json: JsonOption = False,
    utc: UtcOption = False,
    debug: DebugOption = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    """A gateway for privileged sessions: every connection ends here, and everything is evidence."""
    context.obj = Common(data=data, json=as_json, utc=utc, debug=debug)


def run(arguments: Sequence[str] | None = None) -> None:
    """Run the command with *arguments*, else those of this process, and exit with its status."""
    # What a command writes (keys, exports, transcripts) is for its owner alone.
    os.umask(0o077)
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words
    try:
        application(_named(words))(args=words, prog_name="watchgate")
    except WatchgateError as error:
        fail(error, _status(error), debug=debug, as_json="--json" in words)
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)
    except BrokenPipeError:
        # The reader of a pipe left (`watchgate session list | head`): nobody is there to be told.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(EXIT_OTHER)
    except Exception as error:  # noqa: BLE001 - the last border: a user never sees a traceback unasked
        unexpected = WatchgateError(
            f"unexpected {type(error).__name__}: {error}; "
            "this is a defect of Watchgate, --debug shows where",
            code="watchgate.defect",
        )
        unexpected.__cause__ = error
        fail(unexpected, EXIT_OTHER, debug=debug, as_json="--json" in words)


def _named(words: Sequence[str]) -> set[str]:
    """The nouns among *words* and, while a shell completes, among the words that it has."""
    typed = set(words)
    for variable in ("COMP_WORDS", "_TYPER_COMPLETE_ARGS"):
        typed |= set(os.environ.get(variable, "").split())
    return typed & set(NOUNS)


def _status(error: WatchgateError) -> int:
    match error:
        case ConfigurationError():
            return EXIT_CONFIGURATION
        case NotFound() | Refused():
            return EXIT_NOT_FOUND
        case _:
            return EXIT_OTHER


def fail(error: WatchgateError, status: int, *, debug: bool, as_json: bool) -> None:
    """Say *error* in one line on stderr (as JSON when asked) and exit."""
    if debug:
        traceback.print_exception(error)
    message = " ".join(str(error).split())
    if as_json:
        line = json.dumps({"error": {"code": error.code, "message": message}})
    else:
        line = f"watchgate: {message}"
    typer.echo(line, err=True)
    sys.exit(status)
