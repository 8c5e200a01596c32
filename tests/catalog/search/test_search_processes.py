"""One process writes while others search, and threads share an index."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from search_world import about, command, opened

from watchgate.catalog.search.index import SqliteIndex
from watchgate.catalog.search.model import Query
from watchgate.clock import SystemClock

WRITER = """
import sys
from pathlib import Path
from watchgate.clock import SystemClock
from watchgate.catalog.search.index import SqliteIndex
sys.path.insert(0, sys.argv[1])
from search_world import about, command
index = SqliteIndex(Path(sys.argv[2]), SystemClock())
for number in range(int(sys.argv[3]), int(sys.argv[3]) + 40):
    index.put(about(number), [command(f"needle {number} {item}", item, item) for item in range(10)])
    print(number, flush=True)
index.close()
"""


def _writer(directory: Path, first: int) -> subprocess.Popen[str]:
    here = str(Path(__file__).parent)
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, here, str(directory), str(first)],
        stdout=subprocess.PIPE,
        text=True,
    )


def test_what_is_put_is_found_at_once_by_another_process(tmp_path: Path) -> None:
    with closing(SqliteIndex(tmp_path / "index", SystemClock())) as index:
        seen = []
        with _writer(index.directory, 0) as writer:
            assert writer.stdout is not None
            for line in writer.stdout:
                query = Query(f"needle {int(line)} ", session=about(int(line)).session)
                answer = index.search(query)
                seen.append((len(answer.hits), answer.problems))

        assert writer.returncode == 0
        assert seen == [(10, ())] * 40


def test_two_processes_write_by_turns(tmp_path: Path) -> None:
    directory = tmp_path / "index"
    writers = [_writer(directory, 0), _writer(directory, 100)]
    for writer in writers:
        writer.communicate(timeout=120)

    assert [writer.returncode for writer in writers] == [0, 0]
    with closing(SqliteIndex(directory, SystemClock())) as index:
        answer = index.search(Query("needle", limit=2000))
        assert len(answer.hits) == 800
        assert index.mend(thorough=True) == []


def test_threads_share_an_index(tmp_path: Path) -> None:
    with closing(opened(tmp_path)) as index, ThreadPoolExecutor(8) as pool:

        def put(number: int) -> Callable[[], object]:
            return lambda: index.put(about(number), [command(f"needle {number}")])

        def search(number: int) -> Callable[[], object]:
            return lambda: index.search(Query("needle", limit=200)).problems

        work = [make(number) for number in range(40) for make in (put, search)]
        done = [future.result() for future in [pool.submit(one) for one in work]]

        assert done == [1, ()] * 40
        assert len(index.search(Query("needle")).hits) == 40
