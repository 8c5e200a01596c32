"""Putting documents into the index, finding them, and forgetting them."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from search_world import DECEMBER_US, NOVEMBER_US, SECOND_US, about, command, opened, screen, texts

from watchgate.catalog.search import opening
from watchgate.catalog.search.index import SqliteIndex
from watchgate.catalog.search.model import Kind, Mode, Progress, Query
from watchgate.clock import ManualClock
from watchgate.errors import Refused

DAY = 86_400.0


@pytest.fixture
def index(tmp_path: Path) -> Iterator[SqliteIndex]:
    """An empty index."""
    with closing(opened(tmp_path)) as made:
        yield made


# --- finding ---------------------------------------------------------------------------------------


def test_a_command_is_found_with_all_that_is_known_of_it(index: SqliteIndex) -> None:
    one = command(
        "rm -rf /srv",
        7,
        90.5,
        source="screen",
        confidence="inferred",
        verdict="block",
        severity="high",
    )
    index.put(about(), [replace(one, channel=2, offset_us=17)])

    (hit,) = index.search(Query("rm -rf")).hits

    assert hit.about == about()
    assert hit.document == replace(one, channel=2, offset_us=17)
    assert (hit.text, hit.spans) == ("rm -rf /srv", ((0, 6),))


def test_a_screen_says_the_line(index: SqliteIndex) -> None:
    index.put(about(), [screen("$ cat x\npassword: none\n$", 1, 3)])

    (hit,) = index.search(Query("password")).hits

    assert hit.document == screen("$ cat x\npassword: none\n$", 1, 3)
    assert (hit.line, hit.text, hit.spans) == (1, "password: none", ((0, 8),))


def test_the_newest_is_first_over_months_and_kinds(index: SqliteIndex) -> None:
    index.put(about(1), [command("needle b", 0, 20), screen("needle c", 0, 30)])
    index.put(about(2), [screen("needle a", 0, 10), command("needle e", 1, 31 * DAY)])
    index.put(about(3), [command("needle d", 0, 30.5), screen("needle f", 3, 62 * DAY)])

    assert "".join(text[-1] for text in texts(index, "needle")) == "fedcba"


def test_more_in_a_second_than_it_has_places_for_stay_in_order(index: SqliteIndex) -> None:
    many = [command(f"needle {number:03}", number, 5 + number / 1000) for number in range(200)]
    index.put(about(1), many[::2])
    index.put(
        about(2), [*many[1::2], command("needle last", 900, 6), command("needle first", 901, 4)]
    )

    found = texts(index, "needle", limit=500)

    assert found == ["needle last", *(one.text for one in reversed(many)), "needle first"]


def test_filters_are_exact_and_add_up(index: SqliteIndex) -> None:
    blocked = command("uptime 2", 1, verdict="block", severity="high")
    index.put(about(1), [command("uptime 1"), blocked])
    index.put(about(2, operator="bob", target="db1"), [command("uptime 3")])
    index.put(about(3, account="oracle", protocol="sql"), [command("uptime 4")])

    def found(**fields: object) -> str:
        return "".join(sorted(text[-1] for text in texts(index, "uptime", **fields)))

    assert found() == "1234"
    assert found(operator="alice") == "124"
    assert found(operator="Alice") == ""
    assert found(operator="bob", target="db1") == "3"
    assert found(operator="alice", target="db1") == ""
    assert found(account="oracle") == "4"
    assert found(protocol="sql") == "4"
    assert found(verdict="block") == "2"
    assert found(severity="high", operator="alice") == "2"
    assert found(severity="") == "1234"
    assert found(session=about(2).session) == "3"
    assert found(session=about(3).session[:8].upper()) == "4"
    assert found(session="01") == "1234"
    assert found(session="f") == ""


def test_a_beginning_of_very_many_sessions_filters_too(index: SqliteIndex) -> None:
    for number in range(70):
        index.put(about(number), [command("uptime", 0, number)])
    index.put(about(1, session="ffff"), [command("uptime", 0, 99)])

    assert len(texts(index, "uptime", session="0199", limit=99)) == 70


def test_times_bound_to_the_microsecond(index: SqliteIndex) -> None:
    index.put(about(), [command(f"uptime {at}", at, at / 4) for at in range(12)])
    index.put(about(), [command("uptime december", 99, 30 * DAY)])

    since = NOVEMBER_US + SECOND_US * 3 // 4

    assert texts(index, "uptime", since_us=since, until_us=since + SECOND_US // 2) == [
        "uptime 4",
        "uptime 3",
    ]
    assert texts(index, "uptime", since_us=DECEMBER_US) == ["uptime december"]
    assert texts(index, "uptime", until_us=NOVEMBER_US + 1) == ["uptime 0"]
    assert texts(index, "uptime", since_us=-5, until_us=NOVEMBER_US) == []


def test_kinds_can_be_chosen(index: SqliteIndex) -> None:
    index.put(about(), [command("uptime"), screen("$ uptime")])

    assert texts(index, "uptime", kinds=frozenset({Kind.COMMAND})) == ["uptime"]
    assert texts(index, "uptime", kinds=frozenset({Kind.SCREEN})) == ["$ uptime"]
    assert texts(index, "uptime", kinds=frozenset()) == []


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("ÄRGER im Öl", "ärger"),
        ("ärger", "Ärger"),
        ("STRAẞE", "straße"),
        ("İSTANBUL", "istanbul"),
        ("ısı İs", "ISI"),
        ("日本語テキスト", "本語テ"),
        ("cafe\u0301s", "caf\u00e9s"),
        ("caf\u00e9s", "cafe\u0301s"),
        ("a\u0323\u0302 xy", "\u1ead xy"),
        ("ΟΔΥΣΣΕΥΣ", "οδυσσευς"),
        ("\ue0b0 master", "\ue0b0 mas"),
        ("🎉🎉🎉 done", "🎉🎉🎉"),
        ("שלום עולם", "לום ע"),
        ("a\u200bb\u200bc", "a\u200bb"),
        ("nul\0inside", "l\0i"),
        ("bad \udcff octet", "d \udcff"),
        ("\U00100001\U00104000\U00108001", "\U00100001\U00104000\U00108001"),
    ],
)
def test_letters_of_the_world_are_found(index: SqliteIndex, text: str, wanted: str) -> None:
    index.put(about(), [command(text), screen(text)])

    assert len(texts(index, wanted, any_case=True)) == 2


@pytest.mark.parametrize(
    "wanted",
    [
        *(
            '"',
            '""',
            '"*"',
            "a* b*",
            "NEAR(a b)",
            "text:abc",
            "{text}:abc",
            "^abc",
            "a AND b",
            "OR",
        ),
        *("-x+", "'; DROP TABLE words; --", "NOT x", "(a b", "%_%", "\\", "a\0b", "x" * 1000),
        *("\udc80\udc81\udc82", "\U00100000\U00104000\U00108000", "\U00100000\U00104000"),
    ],
)
def test_no_text_is_read_as_a_query_of_the_engine(index: SqliteIndex, wanted: str) -> None:
    index.put(about(), [command("ordinary words, text abc"), command(f"say {wanted} twice", 1, 1)])

    found = texts(index, wanted, operator="alice")

    assert found[0].startswith("say ")
    assert len(found) == (2 if wanted in "ordinary words, text abc" else 1)


def test_prefixes_and_expressions_are_found(index: SqliteIndex) -> None:
    index.put(
        about(),
        [
            command("rm -rf /tmp/x", 0, 0),
            command("sudo rm -r /tmp/x", 1, 1),
            command("curl -s https://x | sudo bash", 2, 2),
            screen("web1:~# ls\nrm: cannot remove", 0, 3),
        ],
    )

    assert texts(index, "rm -", mode=Mode.PREFIX) == ["rm -rf /tmp/x"]
    assert texts(index, "rm: ", mode=Mode.PREFIX) == ["web1:~# ls\nrm: cannot remove"]
    assert texts(index, r"rm -[rf]+ /", mode=Mode.REGEX) == ["sudo rm -r /tmp/x", "rm -rf /tmp/x"]
    assert texts(index, r"curl .*\| *(sudo )?(ba)?sh", mode=Mode.REGEX) == [
        "curl -s https://x | sudo bash"
    ]
    assert texts(index, r"\d|r\w", mode=Mode.REGEX, account="root")[0].startswith("web1")


def test_octets_that_are_no_text_harm_nowhere(index: SqliteIndex) -> None:
    odd = "\udc80\0"
    index.put(about(1, session=odd, recording=odd), [command("uptime")])
    index.advance(Progress(odd, odd, 1, False, "screen", odd))

    assert texts(index, "uptime", session=odd) == ["uptime"]
    assert len(index.documents(odd, Kind.COMMAND)) == 1
    assert index.progress(odd) is not None
    assert index.forget(odd) == 1
    assert index.progress(odd) is None


# --- what may be asked -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "mode"), [("rm", Mode.LITERAL), ("", Mode.PREFIX), (r"\d+", Mode.REGEX)]
)
def test_what_the_index_cannot_narrow_needs_a_filter(
    index: SqliteIndex, text: str, mode: Mode
) -> None:
    index.put(about(), [command("rm 1")])

    with pytest.raises(Refused) as refused:
        index.search(Query(text, mode))

    assert refused.value.code == "search.too-short"
    assert "an operator" in str(refused.value)
    with pytest.raises(Refused):
        index.search(Query(text, mode, verdict="block"))
    assert texts(index, text, mode=mode, session=about().session) == ["rm 1"]
    assert texts(index, text, mode=mode, since_us=0) == ["rm 1"]


def test_a_query_of_a_megabyte_is_refused(index: SqliteIndex) -> None:
    for mode in Mode:
        with pytest.raises(Refused) as refused:
            index.search(Query("(a" * 500_000, mode))
        assert refused.value.code == "search.too-long"
        assert len(str(refused.value)) < 200


@pytest.mark.parametrize("pattern", [r"uptime\x00", r"upt[\x00]ime", r"\x00{3}", r"\x{10ffff}{3}"])
def test_an_expression_for_what_is_never_kept_finds_nothing(
    index: SqliteIndex, pattern: str
) -> None:
    index.put(about(), [command("uptime\0")])

    answer = index.search(Query(pattern, Mode.REGEX, operator="alice"))

    assert (answer.hits, answer.problems) == ((), ())


def test_a_regular_expression_of_many_alternatives_is_answered(index: SqliteIndex) -> None:
    index.put(about(), [command("systemctl stop x"), command("halt", 1, 1)])
    words = "|".join(f"word{number}" for number in range(100))

    assert texts(index, f"(halt|reboot|{words})", mode=Mode.REGEX, operator="alice") == ["halt"]
    assert texts(index, "halt|reboot|poweroff", mode=Mode.REGEX) == ["halt"]


# --- budget ----------------------------------------------------------------------------------------


def test_more_than_the_limit_is_said(index: SqliteIndex) -> None:
    index.put(about(), [command(f"uptime {item}", item, item) for item in range(5)])

    five = index.search(Query("uptime", limit=5))
    four = index.search(Query("uptime", limit=4))

    assert (len(five.hits), five.partial) == (5, "")
    assert (len(four.hits), four.partial) == (4, "only the newest 4 are shown")
    assert four.hits == five.hits[:4]


def test_candidates_are_bounded_and_the_answer_says_how_far_it_went(index: SqliteIndex) -> None:
    index.put(about(), [command(f"uptime {item}", item, item) for item in range(100)])

    answer = index.search(Query(r"uptime \d$", Mode.REGEX, candidates=40))

    assert answer.hits == ()
    assert answer.candidates == 40
    assert answer.partial == (
        "the search was stopped back to 2026-11-01T00:01:00.000000Z, "
        "because 40 documents were looked at"
    )


def test_a_flood_in_one_second_is_bounded_too(index: SqliteIndex) -> None:
    index.put(about(), [command(f"uptime {item}", item, 1) for item in range(500)])

    answer = index.search(Query("uptime", candidates=100, limit=500))

    assert len(answer.hits) == 100
    assert "100 documents" in answer.partial


def test_time_is_bounded(tmp_path: Path) -> None:
    class Hurried(ManualClock):
        def monotonic_us(self) -> int:
            self.monotonic += 100_000
            return self.monotonic

    with closing(SqliteIndex(tmp_path, Hurried(NOVEMBER_US))) as index:
        index.put(about(), [command(f"uptime {item}", item, item) for item in range(1000)])
        answer = index.search(Query("uptime", limit=999, seconds=2))

    assert 0 < len(answer.hits) < 50
    assert answer.partial.endswith("because its time was over")
    assert answer.elapsed_us >= 2_000_000


# --- putting ---------------------------------------------------------------------------------------


def test_putting_again_changes_nothing(index: SqliteIndex) -> None:
    documents = [command("uptime"), screen("up 3 days", 0, 1), command("exit", 1, 2)]

    assert index.put(about(), documents) == 3
    assert index.put(about(), documents) == 0
    assert index.put(about(), reversed(documents)) == 0
    assert len(texts(index, "", session=about().session)) == 3


def test_another_text_under_the_same_identity_replaces_it(index: SqliteIndex) -> None:
    index.put(about(), [command("uptime --since", 0, 5), command("whoami", 1, 6)])

    assert index.put(about(), [command("hostname", 0, 7), command("whoami", 1, 6)]) == 1
    assert texts(index, "uptime") == []
    assert texts(index, "hostname") == ["hostname"]
    assert [one.text for _, one in index.documents(about().session, Kind.COMMAND)] == [
        "whoami",
        "hostname",
    ]


def test_a_document_that_moves_to_another_month_is_there_once(index: SqliteIndex) -> None:
    index.put(about(), [command("uptime", 0, 5)])
    index.put(about(), [command("uptime", 0, 40 * DAY)])

    assert len(texts(index, "uptime")) == 1
    assert index.search(Query("uptime")).hits[0].document.at_us > DECEMBER_US


def test_what_a_session_is_said_to_be_holds_for_all_its_documents(index: SqliteIndex) -> None:
    index.put(about(), [command("uptime", 0, 5)])
    index.put(about(operator="alina"), [command("hostname", 1, 6)])

    assert texts(index, "", operator="alina") == ["hostname", "uptime"]
    assert texts(index, "", operator="alice") == []


def test_of_the_same_identity_in_one_call_the_last_counts(index: SqliteIndex) -> None:
    assert index.put(about(), [command("uptime"), command("hostname")]) == 1
    assert texts(index, "", operator="alice") == ["hostname"]


def test_documents_of_a_session_come_in_the_order_of_time(index: SqliteIndex) -> None:
    index.put(about(1), [command("c", 0, 40 * DAY), command("b", 1, 7), command("a", 2, 6)])
    index.put(about(2), [command("x", 0, 6.5)])

    found = index.documents(about(1).session, Kind.COMMAND)

    assert [one.text for _, one in found] == ["a", "b", "c"]
    assert {common for common, _ in found} == {about(1)}
    assert index.documents(about(1).session, Kind.SCREEN) == []
    assert index.documents("unknown", Kind.COMMAND) == []


def test_hostile_documents_are_kept_and_found(index: SqliteIndex) -> None:
    index.put(
        about(operator="al\0ice\udc80", target="\U00100001" * 300),
        [
            command("x" * 10_000_000 + "unreachable", 0, 1),
            screen("\n" * 70_000, 1, 2),
            command("far", 2, -(10**9)),
            command("farther", 3, 10**12),
            command("odd", 1 << 62, 3, source="s" * 5000),
        ],
    )

    (long,) = texts(index, "xxxx", kinds=frozenset({Kind.COMMAND}))

    assert len(long) < 70_000
    assert "9934475 more characters" in long
    assert texts(index, "unreachable") == []
    assert len(texts(index, "", operator="al\0ice\udc80")) == 5
    assert texts(index, "farther") == ["farther"]


def test_the_files_are_for_their_owner_alone(index: SqliteIndex) -> None:
    index.put(about(), [command("uptime"), screen("up")])

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in index.directory.iterdir()}

    assert stat.S_IMODE(index.directory.stat().st_mode) == 0o700
    assert {"commands-2026-11.db", "screens-2026-11.db", "progress.db"} <= set(modes)
    assert set(modes.values()) == {0o600}


def test_searching_makes_no_files(index: SqliteIndex) -> None:
    assert index.search(Query("uptime")).hits == ()
    assert index.progress("r") is None
    assert index.files() == []
    assert not index.directory.exists()


# --- progress --------------------------------------------------------------------------------------


def test_progress_is_remembered(tmp_path: Path) -> None:
    one = Progress("r1", about().session, 400, False, "screen")
    with closing(opened(tmp_path)) as index:
        index.advance(one)
        index.advance(replace(one, octets=900, complete=True, problem="torn"))

    with closing(opened(tmp_path)) as again:
        assert again.progress("r1") == replace(one, octets=900, complete=True, problem="torn")
        assert again.progress("r2") is None


# --- forgetting ------------------------------------------------------------------------------------


def _octets(directory: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(directory.iterdir()))


def test_nothing_of_a_forgotten_session_is_left(index: SqliteIndex) -> None:
    secret = about(2, operator="zoroaster")
    for number in range(40):
        text = f"qzjxwv-{number}-kqzxjv"
        index.put(about(1), [command(f"ordinary {number}", number, number)])
        index.put(secret, [command(text, number, number), screen(f"{text}\n" * 3, number, number)])
    index.put(secret, [command("qzjxwv in december", 99, 31 * DAY)])
    index.advance(Progress(secret.recording, secret.session, 1, True, "screen"))
    index.advance(Progress(about(1).recording, about(1).session, 1, True, "screen"))
    assert b"qzjxwv" in _octets(index.directory)

    count = index.forget(secret.session)

    assert count == 81
    octets = _octets(index.directory)
    for trace in (b"qzj", b"jxw", b"kqz", b"xjv", b"zoroaster", secret.session.encode()):
        assert trace not in octets
    assert texts(index, "qzjxwv") == []
    assert len(texts(index, "ordinary")) == 40
    assert index.progress(secret.recording) is None
    assert index.progress(about(1).recording) is not None
    assert index.forget(secret.session) == 0


def test_a_forgotten_session_can_be_put_again(index: SqliteIndex) -> None:
    index.put(about(), [command("uptime")])
    index.forget(about().session)

    assert index.put(about(), [command("uptime")]) == 1
    assert texts(index, "uptime") == ["uptime"]


def test_a_search_that_has_enough_holds_on_to_nothing(
    index: SqliteIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "BUSY_SECONDS", 0)
    index.put(about(), [command(f"uptime {item}", item, item) for item in range(99)])
    index.put(about(), [screen(f"uptime {item}", item, item) for item in range(99)])
    texts(index, "uptime", limit=1)

    assert index.forget(about().session) == 198


def test_several_sessions_are_forgotten_at_once(index: SqliteIndex) -> None:
    for number in range(5):
        index.put(about(number), [command(f"uptime {number}"), command("uptime", 1, 40 * DAY)])

    assert index.forget_all(about(number).session for number in (1, 3, 9)) == 4
    assert [hit.about.session for hit in index.search(Query("uptime ")).hits] == [
        about(number).session for number in (4, 2, 0)
    ]


def test_a_file_that_was_set_aside_is_forgotten_too(index: SqliteIndex) -> None:
    index.put(about(), [command("uptime")])
    aside = index.directory / "commands-2026-10.db.damaged-20261101T000000Z"
    aside.write_bytes(b"qzjxwv")

    index.forget(about().session)

    assert not aside.exists()


# --- upkeep ----------------------------------------------------------------------------------------


def test_a_month_that_is_over_is_closed_once(tmp_path: Path) -> None:
    clock = ManualClock(NOVEMBER_US)
    with closing(opened(tmp_path, clock)) as index:
        for number in range(30):
            index.put(about(number), [command(f"uptime {number}", 0, number)])
        assert index.tidy() == []

        clock.advance(31 * DAY)
        index.put(about(99), [command("uptime december", 0, 31 * DAY)])
        closed = index.tidy()

        assert closed == ["commands-2026-11.db"]
        assert index.tidy() == []
        assert len(texts(index, "uptime")) == 31
        index.put(about(98), [command("uptime late", 0, 5)])
        assert index.tidy() == ["commands-2026-11.db"]


def test_the_files_are_listed_with_their_sizes(index: SqliteIndex) -> None:
    index.put(about(), [command("uptime"), command("uptime", 1, 31 * DAY), screen("up", 2)])

    found = index.files()

    assert [one.name for one in found] == [
        "commands-2026-12.db",
        "screens-2026-11.db",
        "commands-2026-11.db",
    ]
    assert all(one.octets > 10_000 and one.problem == "" for one in found)
    on_disk = sum(os.stat(path).st_size for path in index.directory.glob("*-11.db*"))
    assert sum(one.octets for one in found[1:]) <= on_disk
