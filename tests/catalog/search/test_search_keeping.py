"""Index files that are lost, damaged, or not ours: what a search says of them, and what the writer does."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from search_world import about, command, opened, screen, texts

from watchgate.catalog.search import opening
from watchgate.catalog.search.index import SqliteIndex
from watchgate.catalog.search.keeping import DAMAGED
from watchgate.catalog.search.model import Kind, Progress, Query
from watchgate.errors import ConfigurationError

DAY = 86_400.0
NAME = "commands-2026-11.db"

Damage = Callable[[Path], None]


def truncated(share: float) -> Damage:
    return lambda path: os.truncate(path, round(path.stat().st_size * share))


def overwritten(start: float, octets: int, what: bytes = b"\xa5") -> Damage:
    def damage(path: Path) -> None:
        size = path.stat().st_size
        with path.open("r+b") as file:
            file.seek(round(size * start))
            file.write(what * min(octets, size - round(size * start)))

    return damage


def versioned(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()


def foreign(path: Path) -> None:
    path.unlink()
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE document (x)")
    connection.commit()
    connection.close()


def without_a_table(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("DROP TABLE value")
    connection.close()


def emptied(path: Path) -> None:
    os.truncate(path, 0)


def written(path: Path) -> None:
    path.write_text("not a database, and long enough to be one" * 200)


DAMAGES: dict[str, Damage] = {
    "header": overwritten(0, 16),
    "first page": overwritten(0, 4096),
    "half": truncated(0.5),
    "a little": truncated(0.05),
    "not whole pages": truncated(0.777),
    "garbage from the middle": overwritten(0.5, 1 << 30),
    "garbage from the second page": overwritten(0.03, 1 << 30),
    "zeros from a third": overwritten(0.33, 1 << 30, b"\0"),
    "text": written,
    "version": versioned,
    "foreign": foreign,
    "table": without_a_table,
    "empty": emptied,
}


@pytest.fixture(params=DAMAGES)
def damage(request: pytest.FixtureRequest) -> Damage:
    """One way to damage a file."""
    return DAMAGES[request.param]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """An index over two months, closed."""
    with closing(opened(tmp_path)) as index:
        for number in range(60):
            common = about(number)
            index.put(
                common, [command(f"needle {item} of {number}", item, item) for item in range(9)]
            )
            index.put(common, [command("needle december", 50, 31 * DAY), screen("a needle", 1, 5)])
            index.advance(Progress(common.recording, common.session, 100, True, "screen"))
        in_december = about(77)
        index.put(in_december, [command("needle december", 0, 31 * DAY)])
        index.advance(Progress(in_december.recording, in_december.session, 100, True, "screen"))
    return tmp_path


@pytest.fixture
def index(directory: Path) -> Iterator[SqliteIndex]:
    """The same, opened when the test begins to use it."""
    with closing(opened(directory)) as made:
        yield made


def test_a_search_goes_on_without_a_damaged_file(index: SqliteIndex, damage: Damage) -> None:
    damage(index.directory / NAME)

    answer = index.search(Query("needle", limit=10_000))

    kinds = [hit.document.kind for hit in answer.hits]
    assert kinds.count(Kind.SCREEN) == 60
    assert sum(hit.document.text == "needle december" for hit in answer.hits) == 61
    (problem,) = answer.problems
    assert NAME in problem
    assert "`watchgate reindex`" in problem


def test_the_writer_sets_a_damaged_file_aside_and_begins_anew(
    index: SqliteIndex, damage: Damage
) -> None:
    damage(index.directory / NAME)

    said = index.mend(thorough=True)

    assert len(said) == 1
    assert NAME in said[0]
    assert index.progress(about(3).recording) is None
    assert index.progress(about(77).recording) is not None
    assert index.put(about(3), [command("needle again", 0, 5)]) == 1
    answer = index.search(Query("needle", limit=10_000))
    assert answer.problems == ()
    assert sum(hit.document.text == "needle again" for hit in answer.hits) == 1
    assert len(answer.hits) == 122
    assert index.mend() == []


@pytest.mark.parametrize("way", ["header", "version", "foreign", "empty"])
def test_what_is_damaged_at_the_beginning_is_noticed_by_putting(
    index: SqliteIndex, way: str
) -> None:
    DAMAGES[way](index.directory / NAME)

    with pytest.raises(ConfigurationError) as damaged:
        index.put(about(3), [command("needle", 0, 5)])

    assert damaged.value.code == DAMAGED
    assert NAME in str(damaged.value)
    assert index.progress(about(3).recording) is None
    assert index.put(about(3), [command("needle", 0, 5)]) == 1


def test_a_damaged_file_is_kept_under_another_name(index: SqliteIndex) -> None:
    path = index.directory / NAME
    path.write_bytes(b"garbage" * 1000)

    index.mend()

    (aside,) = index.directory.glob("*.damaged-*")
    assert aside.name == f"{NAME}.damaged-20261101T000000.000000Z"
    assert aside.read_bytes() == b"garbage" * 1000


def test_a_file_that_is_damaged_while_it_is_open_is_noticed(directory: Path) -> None:
    with closing(opened(directory)) as index:
        assert texts(index, "needle", limit=1)
        overwritten(0, 1 << 30)(index.directory / NAME)
        answer = index.search(Query("needle", limit=10_000))
        assert len(answer.problems) <= 1

    with closing(opened(directory)) as again:
        assert len(again.search(Query("needle", limit=10_000)).problems) == 1


def test_a_missing_file_is_told_and_begun_anew(index: SqliteIndex) -> None:
    (index.directory / NAME).unlink()

    assert index.search(Query("needle")).problems == (
        f"the index file {NAME} is missing; `watchgate reindex` reads the recordings again",
    )
    assert index.search(Query("needle", kinds=frozenset({Kind.SCREEN}))).problems == ()
    said = index.mend()
    assert len(said) == 1
    assert "was missing" in said[0]
    assert index.progress(about(3).recording) is None
    assert index.search(Query("needle")).problems == ()


def test_a_file_that_goes_while_it_is_open_is_begun_anew(directory: Path) -> None:
    with closing(opened(directory)) as index:
        index.put(about(3), [command("needle", 60, 5)])
        (index.directory / NAME).unlink()

        with pytest.raises(ConfigurationError) as damaged:
            index.put(about(3), [command("needle", 61, 5)])

        assert damaged.value.code == DAMAGED
        assert index.put(about(3), [command("needle", 61, 5)]) == 1
        assert index.search(Query("needle")).problems == ()


@pytest.mark.parametrize("way", ["header", "first page", "text", "version", "empty"])
def test_a_damaged_progress_makes_everything_be_read_again(index: SqliteIndex, way: str) -> None:
    DAMAGES[way](index.directory / "progress.db")

    assert "progress.db" in index.search(Query("needle")).problems[0]
    with pytest.raises(ConfigurationError):
        index.progress(about(3).recording)
    said = index.mend()
    assert len(said) == 1
    assert index.progress(about(3).recording) is None
    assert index.put(about(3), [command("needle 5 of 3", 5, 5)]) == 0
    assert index.search(Query("needle")).problems == ()


def test_a_lost_directory_is_begun_anew(directory: Path) -> None:
    with closing(opened(directory)) as index:
        index.put(about(3), [command("needle", 60, 5)])
        shutil.rmtree(index.directory)

        assert index.search(Query("needle")).hits == ()
        with pytest.raises(ConfigurationError) as lost:
            index.put(about(3), [command("needle", 60, 5)])
        assert lost.value.code == DAMAGED
        assert index.put(about(3), [command("needle", 60, 5)]) == 1
        assert texts(index, "needle") == ["needle"]


def test_a_writer_hears_that_another_process_began_a_file_anew(directory: Path) -> None:
    with closing(opened(directory)) as index, closing(opened(directory)) as other:
        index.put(about(3), [command("needle", 60, 5)])
        written(index.directory / NAME)
        assert len(other.mend()) == 1

        with pytest.raises(ConfigurationError) as lost:
            index.put(about(3), [command("needle", 61, 5)])

        assert lost.value.code == DAMAGED
        assert index.put(about(3), [command("needle", 61, 5)]) == 1


def test_a_readers_connection_follows_a_file_that_was_replaced(directory: Path) -> None:
    with closing(opened(directory)) as reader, closing(opened(directory)) as writer:
        assert texts(reader, "needle 3 of 3")
        (writer.directory / NAME).write_bytes(b"garbage" * 1000)
        writer.mend()
        writer.put(about(3), [command("needle anew", 0, 5)])

        assert texts(reader, "needle anew") == ["needle anew"]


def test_documents_of_a_session_are_not_given_in_part(index: SqliteIndex) -> None:
    overwritten(0, 100)(index.directory / NAME)

    with pytest.raises(ConfigurationError) as unreadable:
        index.documents(about(3).session, Kind.COMMAND)

    assert unreadable.value.code == "index.unreadable"
    assert len(index.documents(about(3).session, Kind.SCREEN)) == 1


def test_forgetting_goes_on_behind_a_damaged_file(index: SqliteIndex) -> None:
    overwritten(0, 100)(index.directory / NAME)

    with pytest.raises(ConfigurationError) as damaged:
        index.forget(about(3).session)

    assert damaged.value.code == DAMAGED
    assert list(index.directory.glob("*.damaged-*")) == []
    assert index.documents(about(3).session, Kind.SCREEN) == []
    assert index.forget(about(3).session) == 0


def test_whatever_is_changed_in_a_file_nothing_worse_happens(directory: Path) -> None:
    chance = random.Random(11)
    path = directory / "index" / NAME
    sound = path.read_bytes()
    told = 0
    for _ in range(40):
        changed = bytearray(sound)
        for _ in range(chance.choice([1, 3, 30])):
            changed[chance.randrange(len(changed))] = chance.randrange(256)
        path.write_bytes(changed)
        with closing(opened(directory)) as index:
            answers = [
                index.search(Query("needle", limit=5_000)),
                index.search(Query("e", operator="alice", session="0199")),
            ]
            assert all("needle" in hit.text for hit in answers[0].hits)
            told += any(answer.problems for answer in answers)
            index.mend(thorough=True)
            index.put(about(3), [command("needle again", 90, 5)])
        for left in path.parent.glob(f"{NAME}*"):
            left.unlink()

    assert told > 5


def test_damage_in_the_full_text_index_alone_is_found(index: SqliteIndex) -> None:
    connection = sqlite3.connect(index.directory / NAME)
    connection.execute("UPDATE words_data SET block = zeroblob(length(block)) WHERE id > 10")
    connection.commit()
    connection.close()

    assert len(index.mend(thorough=True)) == 1


def test_the_list_of_files_says_which_cannot_be_read(index: SqliteIndex) -> None:
    overwritten(0, 100)(index.directory / NAME)

    problems = {one.name: one.problem for one in index.files()}

    assert "cannot be read" in problems.pop(NAME)
    assert set(problems.values()) == {""}


def test_a_writer_that_waited_in_vain_says_so(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "BUSY_SECONDS", 0)
    with closing(opened(directory)) as index:
        other = sqlite3.connect(index.directory / NAME, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(ConfigurationError) as busy:
            index.put(about(3), [command("needle", 70, 5)])
        other.execute("ROLLBACK")
        other.close()

        assert busy.value.code == "index.busy"
        assert index.put(about(3), [command("needle", 70, 5)]) == 1


def test_a_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "index").write_text("a file")
    with closing(opened(tmp_path)) as index, pytest.raises(ConfigurationError) as unwritable:
        index.put(about(), [command("uptime")])

    assert unwritable.value.code == "index.unwritable"
