"""One file of the index: how it is made and opened, what is in it, and what its errors mean.

`words` is the full-text index: contentless, so that the text is not kept twice; without positions, so that
it is a sixth as large, and every candidate is looked at; a column for each filter, whose one trigram is made
of reserved characters. `document` has the text, plain or compressed. Text is folded before it comes here,
so that SQLite's own idea of cases never decides what is found.

Pages that become free are overwritten (`secure_delete`), and a commit is durable before the progress that
depends on it is written (`synchronous`).
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import zstandard

from watchgate.errors import ConfigurationError

APPLICATION = 0x57474958
"""`WGIX` in the header of the file."""
VERSION = 1
BUSY_SECONDS = 10
_WAL_OCTETS = 64 << 20
"""What is left of the log of a large write."""

COLUMNS = ("text", "operator", "target", "account", "protocol", "session", "verdict", "severity")
"""Of the full-text index."""

SCHEMA = (
    f"""CREATE VIRTUAL TABLE words USING fts5(
        {", ".join(COLUMNS)},
        content = '', columnsize = 0, detail = none, tokenize = 'trigram case_sensitive 1'
    )""",
    """CREATE TABLE session (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        recording TEXT NOT NULL,
        operator TEXT NOT NULL,
        account TEXT NOT NULL,
        target TEXT NOT NULL,
        protocol TEXT NOT NULL,
        started_at_us INTEGER NOT NULL
    )""",
    """CREATE TABLE value (
        number INTEGER PRIMARY KEY,
        name TEXT NOT NULL,
        value TEXT NOT NULL,
        UNIQUE (name, value)
    )""",
    """CREATE TABLE document (
        number INTEGER PRIMARY KEY,
        session INTEGER NOT NULL REFERENCES session,
        item INTEGER NOT NULL,
        us INTEGER NOT NULL,
        offset_us INTEGER NOT NULL,
        channel INTEGER NOT NULL,
        source INTEGER NOT NULL,
        confidence INTEGER NOT NULL,
        verdict INTEGER,
        severity INTEGER,
        text NOT NULL
    )""",
    "CREATE UNIQUE INDEX document_of_session ON document (session, item)",
    "CREATE TABLE closed (at_us INTEGER NOT NULL)",
)

_CACHE_KIB = 16 << 10
"""Of one connection, at most: pages of the full-text index are looked at more than once."""

TABLES = ("session", "value", "document", "closed")
"""Those that can be read as they are."""

_DAMAGE = ("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_FORMAT", "SQLITE_IOERR_SHORT_READ")
# What a file says that lost its tables, or in which the description of one is garbage: our own statements
# are always the same ones.
_GENERAL = "SQLITE_ERROR"
_UNDECODED = "Could not decode"
"""What Python says of a text that is none."""


class Damaged(Exception):  # noqa: N818 - never leaves this package
    """A file cannot be read; the message says what is wrong with it."""


BROKEN: tuple[type[Exception], ...] = (
    sqlite3.Error,
    Damaged,
    zstandard.ZstdError,
    UnicodeDecodeError,
)
"""All that work on a file can raise; `damage` and `explain` say what it means."""


def connect(
    path: Path, schema: tuple[str, ...] = (), making: Callable[[], object] = bool
) -> sqlite3.Connection:
    """A connection to the file at *path*: a writer's, which makes it with *schema*, else a reader's.

    *making* is called before a new file has its name, by the one process that makes it.
    Raises Damaged, sqlite3.Error, FileNotFoundError.
    """
    if not path.exists():
        if not schema:
            raise FileNotFoundError(path)
        _make(path, schema, making)
    connection = _open(path)
    try:
        _configure(connection, writing=bool(schema))
        _check(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )


def _make(path: Path, schema: tuple[str, ...], making: Callable[[], object]) -> None:
    """Make the file, whole before it has its name, unless another process was first.

    SQLite gives its log the permissions of the file.
    """
    fresh = path.with_name(f"{path.name}.new")
    try:
        os.makedirs(path.parent, mode=0o700, exist_ok=True)
        with alone_in(path.parent):
            if path.exists():
                return
            making()
            # The log of a file that was taken away would be read into the new one.
            for left in (*beside(path), fresh):
                left.unlink(missing_ok=True)
            os.close(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
            _fill(fresh, schema)
            os.replace(fresh, path)
    except OSError as error:
        raise _unwritable(path, error) from error


@contextmanager
def alone_in(directory: Path) -> Iterator[None]:
    """Of all processes only this one makes files in *directory*, or takes them away."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def beside(path: Path) -> tuple[Path, Path]:
    """What SQLite keeps beside a file: its log and the log's index."""
    return path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")


def _fill(path: Path, schema: tuple[str, ...]) -> None:
    connection = _open(path)
    try:
        # Kept in the file. Changed later, while another process opens it, it would fail without waiting.
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("BEGIN")
        for statement in schema:
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    finally:
        connection.close()


def _unwritable(path: Path, error: OSError) -> ConfigurationError:
    return ConfigurationError(
        f"the index file {path} cannot be made: {error.strerror}; check that its directory "
        "(index.directory) belongs to the user that runs Watchgate and has room",
        code="index.unwritable",
    )


def _configure(connection: sqlite3.Connection, *, writing: bool) -> None:
    connection.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    if not writing:
        connection.execute("PRAGMA query_only = ON")
        return
    for pragma in (
        "synchronous = FULL",
        "secure_delete = ON",
        f"journal_size_limit = {_WAL_OCTETS}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _check(connection: sqlite3.Connection) -> None:
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if not connection.execute("PRAGMA schema_version").fetchone()[0]:
        raise Damaged("it is empty")
    if application != APPLICATION:
        raise Damaged("it is not a file of Watchgate's index")
    if version != VERSION:
        raise Damaged(f"it has version {version}, and this Watchgate reads {VERSION}")


def damage(error: Exception) -> str | None:
    """What is wrong with the file, when *error* says that its content is."""
    match error:
        case Damaged():
            return str(error)
        case zstandard.ZstdError() | UnicodeDecodeError():
            return "a text in it cannot be read"
        case sqlite3.Error():
            name = _error_name(error)
            broken = name.startswith(_DAMAGE) or name == _GENERAL
            return str(error) if broken or _UNDECODED in str(error) else None
        case _:
            return None


def was_interrupted(error: Exception) -> bool:
    """Whether a question was ended because its time was over."""
    return isinstance(error, sqlite3.Error) and _error_name(error).startswith("SQLITE_INTERRUPT")


def explain(error: Exception, path: Path) -> ConfigurationError:
    """What an error that is no damage means to the administrator."""
    name = _error_name(error)
    sentences: list[tuple[str, str, str]] = [
        ("SQLITE_BUSY", "busy", f"was kept locked by another process for {BUSY_SECONDS} s; look for one that hangs"),
        ("SQLITE_FULL", "full", "cannot be written: its disk is full; make room"),
        ("SQLITE_READONLY", "read-only", "is read-only for this user; run as the user that runs Watchgate"),
        ("SQLITE_CANTOPEN", "unreadable", "cannot be opened; check that it belongs to the user that runs Watchgate"),
    ]  # fmt: skip
    for beginning, code, sentence in sentences:
        if name.startswith(beginning):
            return ConfigurationError(f"the index file {path} {sentence}", code=f"index.{code}")
    return ConfigurationError(
        f"the index file {path} failed: {error}; check the file and its disk", code="index.failed"
    )


def _error_name(error: Exception) -> str:
    return getattr(error, "sqlite_errorname", "") or ""


class Placed:
    """A connection to a file that can be gone, or be another one, when it is used next."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._identity = identity(path)

    def is_of(self, path: Path) -> bool:
        """Whether it is still the file at *path*."""
        return self._identity is not None and identity(path) == self._identity

    def settle(self) -> None:
        """Bring everything from the log into the file, and empty the log.

        Raises sqlite3.Error when a reader holds on to what was there before for too long.
        """
        if self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
            raise sqlite3.OperationalError(
                "another process still reads what was removed; try again"
            )

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()


def identity(path: Path) -> tuple[int, int] | None:
    """What tells the file at *path* from another of that name; None: there is none."""
    try:
        state = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise not_permitted(path, error) from error
    return state.st_dev, state.st_ino


def not_permitted(path: Path, error: OSError) -> ConfigurationError:
    """What it means that the system does not let us look at *path*."""
    return ConfigurationError(
        f"the index {path} cannot be read: {error.strerror}; run as the user that runs Watchgate",
        code="index.unreadable",
    )


def transaction(connection: sqlite3.Connection, work: Callable[[], int]) -> int:
    """What *work* returns, all of it done or none."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        done = work()
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return done
