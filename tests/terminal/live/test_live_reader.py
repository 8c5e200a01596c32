"""The live reader, with pretended shells: what it says of a line before its Enter is passed on."""

from __future__ import annotations

import pytest
from live_world import MS, OFF, ON, PROMPT, Sitting

from watchgate.policy.commands import Place, Source
from watchgate.session.model import Device as Kind
from watchgate.terminal.keys import Key, KeyKind
from watchgate.terminal.live.profiles import profile


def _at_prompt(**given: int) -> Sitting:
    sitting = Sitting(**given)  # type: ignore[arg-type]
    sitting.shows(PROMPT)
    return sitting


def test_a_line_that_is_typed_and_echoed_is_certain_at_once() -> None:
    sitting = _at_prompt()
    sitting.types(b"touch HIT")

    line = sitting.holds()

    assert (line.text, line.source, line.certain, line.others) == (
        "touch HIT",
        Source.SCREEN,
        True,
        (),
    )
    assert sitting.waited_us == 0


def test_without_the_shells_word_nothing_is_exact() -> None:
    sitting = _at_prompt()

    assert not sitting.runs(b"ls").exact


def test_an_empty_line_is_nothing() -> None:
    sitting = _at_prompt()
    sitting.runs(b"ls")

    assert sitting.holds().text == ""


def test_enter_waits_for_an_echo_that_is_under_way() -> None:
    sitting = _at_prompt(rtt_us=50 * MS)
    sitting.types(b"touch HIT", echo=False)
    reader = sitting.reader
    reader.hold(sitting.t_us, Key(KeyKind.END, b"\r"), sitting.rtt_us)

    assert reader.settled(sitting.t_us + 30 * MS) is None

    reader.printed(sitting.t_us + 50 * MS, b"touch HIT")
    line = reader.settled(sitting.t_us + 50 * MS)

    assert line is not None
    assert line.text == "touch HIT"
    assert line.certain


def test_what_is_not_echoed_is_a_secret_that_no_repr_shows() -> None:
    sitting = _at_prompt()
    sitting.runs(b"read -s -p 'Password: ' x", prompt=b"Password: ")
    sitting.types(b"S3cret!pw", echo=False)

    line = sitting.holds()

    assert line.secret
    assert line.place is Place.PROGRAM
    assert "S3cret" not in repr(line)
    assert sitting.waited_us <= 150 * MS


def test_a_line_typed_behind_a_prompt_without_an_echo_is_still_a_line() -> None:
    sitting = _at_prompt()
    sitting.runs(b"stty -echo")
    sitting.types(b"touch HIT", echo=False)

    line = sitting.holds()

    assert (line.text, line.secret, line.place) == ("touch HIT", True, Place.SHELL)


def test_a_recalled_line_is_read_off_the_screen() -> None:
    sitting = _at_prompt()
    sitting.runs(b"ls")
    sitting.types(b"\x1b[A", echo=b"touch HIT")

    line = sitting.holds()

    assert (line.text, line.source) == ("touch HIT", Source.SCREEN)


def test_a_recall_that_is_not_answered_yet_is_waited_for() -> None:
    sitting = _at_prompt()
    sitting.runs(b"ls")
    sitting.types(b"\x1b[A", echo=False)
    reader = sitting.reader
    reader.hold(sitting.t_us, Key(KeyKind.END, b"\r"), 0)
    reader.printed(sitting.t_us + 30 * MS, b"touch HIT")

    assert reader.settled(sitting.t_us + 31 * MS) is None

    line = reader.settled(sitting.t_us + 60 * MS)

    assert line is not None
    assert line.text == "touch HIT"


def test_a_completion_that_takes_its_time_is_waited_for() -> None:
    sitting = _at_prompt()
    sitting.runs(b"ls")
    sitting.types(b"rm H")
    sitting.types(b"\t", echo=False)
    reader = sitting.reader
    reader.hold(sitting.t_us, Key(KeyKind.END, b"\r"), 0)

    assert reader.settled(sitting.t_us + 900 * MS) is None

    reader.printed(sitting.t_us + 900 * MS, b"ITfile ")
    line = reader.settled(sitting.t_us + 930 * MS)

    assert line is not None
    assert line.text == "rm HITfile"


def test_no_wait_is_longer_than_its_bound() -> None:
    sitting = _at_prompt()
    sitting.runs(b"ls")
    sitting.types(b"\x1b[A", echo=False)
    reader = sitting.reader
    held = sitting.t_us
    reader.hold(held, Key(KeyKind.END, b"\r"), 0)
    for at in range(held, held + 400 * MS, 5 * MS):
        reader.printed(at, b"noise ")

    assert reader.settled(held + 400 * MS) is not None


def test_a_search_in_the_history_gives_what_it_found() -> None:
    sitting = _at_prompt()
    sitting.types(b"\x12", echo=b"\r\x1b[K(reverse-i-search)`': ")
    sitting.types(b"tou", echo=b"\r\x1b[K(reverse-i-search)`tou': touch HIT\x1b[9D")

    assert sitting.holds().text == "touch HIT"


def test_a_suggestion_is_no_part_of_the_line() -> None:
    sitting = _at_prompt()
    sitting.types(b"touch", echo=b"touch\x1b[90m HIT\x1b[39m\x1b[4D")

    line = sitting.holds()

    assert (line.text, line.others) == ("touch", ())


def test_dim_text_that_no_typed_text_stands_before_is_a_part_of_the_line() -> None:
    sitting = Sitting()
    sitting.shows(b"$ \x1b[2m")
    sitting.types(b"\x1b[A", echo=b"touch HIT")
    sitting.types(b"\x1b[H", echo=b"\x1b[9D")

    assert sitting.holds().text == "touch HIT"


def test_what_stood_at_the_right_margin_before_is_no_part_of_the_line() -> None:
    sitting = Sitting()
    sitting.shows(PROMPT + b"\x1b[50C[right]\x1b[57D")
    sitting.types(b"\x1b[A", echo=b"touch HIT")

    assert sitting.holds().text == "touch HIT"


def test_text_far_to_the_right_that_was_not_there_is() -> None:
    sitting = _at_prompt()
    sitting.types(b"\x1b[A", echo=b"touch a" + b" " * 55 + b"HIT")

    assert sitting.holds().text.endswith("HIT")


def test_a_wrapped_line_is_one_line() -> None:
    sitting = Sitting(columns=20)
    sitting.shows(PROMPT)
    sitting.types(b"echo " + b"a" * 60 + b" && touch HIT")

    line = sitting.holds()

    assert line.text == "echo " + "a" * 60 + " && touch HIT"
    assert line.certain


def test_a_resize_in_the_midst_of_a_line_loses_nothing() -> None:
    sitting = _at_prompt()
    sitting.types(b"echo " + b"w" * 60)
    sitting.reader.resized(sitting.t_us, 50, 24)
    sitting.types(b"; touch HIT")

    assert sitting.holds().text == "echo " + "w" * 60 + "; touch HIT"


@pytest.mark.parametrize("size", [(0, 0), (1, 1), (100_000, 100_000)])
def test_a_window_of_any_size_is_one(size: tuple[int, int]) -> None:
    sitting = _at_prompt()
    sitting.reader.resized(sitting.t_us, *size)
    sitting.types(b"touch HIT")

    assert "touch HIT" in sitting.holds().candidates


def test_a_dropped_line_is_not_a_part_of_the_next() -> None:
    sitting = _at_prompt()
    sitting.runs(b"ls")
    sitting.types(b"touch NOTHING")
    sitting.types(b"\x03", echo=b"^C\r\n" + PROMPT)
    sitting.types(b"touch HIT")

    assert sitting.holds().text == "touch HIT"


def test_a_line_that_an_interrupt_does_not_drop_is_seen_whole() -> None:
    sitting = _at_prompt()
    sitting.runs(b"stty intr undef")
    sitting.types(b"touch H")
    sitting.types(b"\x03", echo=b"^C")
    sitting.types(b"IT")

    line = sitting.holds()

    assert any("touch H" in text for text in line.candidates)


def test_a_control_that_is_quoted_runs_nothing() -> None:
    sitting = _at_prompt()
    sitting.types(b"echo \x16", echo=b"echo ")

    assert not sitting.key(b"\r")


def test_reports_of_the_terminal_are_no_keys() -> None:
    sitting = _at_prompt()
    sitting.types(b"ls", echo=b"ls")
    sitting.types(b"\x1b[5;9R\x1b[?62;4c\x1b[I", echo=False)

    line = sitting.holds()

    assert line.text == "ls"
    assert line.certain


@pytest.mark.parametrize("octets", [b"\r", b"\n", b"\x0f", b"\x1ba", b"\x1b[13u", b"\x1bOM"])
def test_every_key_that_runs_a_line_is_held(octets: bytes) -> None:
    sitting = _at_prompt()
    sitting.types(b"ls")

    assert sitting.key(octets)


@pytest.mark.parametrize("octets", [b"\t", b"\x03", b"\x04", b"\x1b[A", b"\x7f", b"?"])
def test_other_keys_are_not(octets: bytes) -> None:
    sitting = _at_prompt()
    sitting.types(b"ls")

    assert not sitting.key(octets)


def test_the_second_end_of_input_runs_what_a_plain_shell_was_given() -> None:
    sitting = _at_prompt()
    sitting.types(b"touch HIT")

    assert not sitting.key(b"\x04")
    assert sitting.key(b"\x04")


# --- pastes ---


def test_a_paste_that_is_marked_is_one_edit() -> None:
    sitting = Sitting()
    sitting.shows(ON + PROMPT)
    sitting.types(b"\x1b[200~echo a", echo=False)
    first = sitting.holds(b"\n")
    sitting.reader.passed(sitting.t_us, first)
    sitting.types(b"touch HIT\x1b[201~", echo=b"echo a\r\ntouch HIT")

    line = sitting.holds()

    assert first.text == ""
    assert line.text == "echo a\ntouch HIT"
    assert line.certain


def test_a_paste_that_is_echoed_at_once_is_run_line_by_line() -> None:
    sitting = Sitting()
    sitting.shows(ON + PROMPT)
    sitting.types(b"\x1b[200~touch HIT", echo=b"touch HIT")

    assert sitting.holds(b"\r").text == "touch HIT"


def test_pasted_lines_are_given_one_by_one_where_pastes_are_not_marked() -> None:
    sitting = _at_prompt()
    lines = [sitting.runs(f"echo line{n}".encode()).text for n in range(20)]

    assert lines == [f"echo line{n}" for n in range(20)]


# --- lines that go on ---


def test_a_line_that_goes_on_is_given_with_those_before() -> None:
    sitting = _at_prompt()
    sitting.runs(b"for i in 1; do", prompt=b"> ")
    sitting.runs(b"touch HIT$i", prompt=b"> ")

    line = sitting.runs(b"done")

    assert line.text == "for i in 1; do\ntouch HIT$i\ndone"
    assert (line.continuation, line.last) == (True, "done")


def test_the_body_of_a_here_document_is_given_as_one() -> None:
    sitting = _at_prompt()
    sitting.runs(b"cat > f <<EOF", prompt=b"> ")

    line = sitting.runs(b"touch HIT", prompt=b"> ")

    assert line.candidates == ("cat > f <<EOF\ntouch HIT",)


def test_behind_a_here_document_a_new_command_begins() -> None:
    sitting = _at_prompt()
    sitting.runs(b"cat > f <<EOF", prompt=b"> ")
    sitting.runs(b"EOF")

    line = sitting.runs(b"touch HIT")

    assert (line.text, line.continuation) == ("touch HIT", False)


def test_a_prompt_that_looks_like_a_continuation_hides_nothing() -> None:
    sitting = _at_prompt()
    sitting.runs(b"PS1='> '", prompt=b"> ")
    sitting.runs(b"echo", prompt=b"> ")
    sitting.runs(b"cat <<EOF", prompt=b"> ")
    sitting.types(b"\x04", echo=b"\r\n> ")
    sitting.types(b"touch HIT")

    assert "touch HIT" in sitting.holds().candidates


# --- what has the terminal ---


def test_a_line_in_a_program_is_the_programs() -> None:
    sitting = _at_prompt()
    sitting.runs(b"python3 -q", prompt=b">>> ")

    line = sitting.runs(b"x = 'touch HIT'", prompt=b">>> ")

    assert (line.place, line.program) == (Place.PROGRAM, "python3")


def test_a_shell_line_in_a_programs_line_is_given_as_one() -> None:
    sitting = _at_prompt()
    sitting.runs(b"python3 -q", prompt=b">>> ")

    line = sitting.runs(b"os.system('touch HIT')", prompt=b">>> ")

    assert (line.place, line.text, line.last) == (
        Place.ESCAPE,
        "touch HIT",
        "os.system('touch HIT')",
    )


def test_an_editors_command_line_is_read_at_the_bottom() -> None:
    sitting = _at_prompt()
    sitting.runs(b"vim f", prompt=b"\x1b[?1049h\x1b[H~\r\n~\x1b[H")
    sitting.types(b"ihello", echo=b"hello")
    sitting.types(b"\x1b", echo=b"\x1b[D")
    sitting.types(b":!touch HIT", echo=b"\x1b[24;1H:!touch HIT")

    line = sitting.holds()

    assert (line.place, line.text) == (Place.ESCAPE, "touch HIT")


def test_text_that_is_written_into_a_file_is_no_command() -> None:
    sitting = _at_prompt()
    sitting.runs(b"vim f", prompt=b"\x1b[?1049h\x1b[H\r\n~\r\n~\x1b[H")
    sitting.types(b"i!touch HIT", echo=b"!touch HIT")

    assert sitting.holds().place is Place.PROGRAM


def test_a_pretended_full_screen_does_not_switch_reading_off() -> None:
    sitting = _at_prompt()
    sitting.runs(b"printf '\\033[?1049h'", prompt=b"\x1b[?1049h\x1b[2;1H" + PROMPT)

    line = sitting.runs(b"touch HIT")

    assert (line.text, line.place) == ("touch HIT", Place.SHELL)


@pytest.mark.parametrize(
    "command", [b"PS1='>>> '", b"PS1='>>> '; python3 --version", b"python3 --version; PS1='>>> '"]
)
def test_a_pretended_prompt_of_a_program_does_not_either(command: bytes) -> None:
    sitting = _at_prompt()
    sitting.runs(command, prompt=b">>> ")

    assert sitting.runs(b"touch HIT", prompt=b">>> ").place is Place.SHELL


def test_what_the_shell_says_of_its_command_is_believed() -> None:
    sitting = _at_prompt()
    sitting.reader.started("psql orders")
    sitting.shows(b"orders=# ")

    assert sitting.runs(b"select 1;", prompt=b"orders=# ").program == "psql"

    sitting.reader.started(None)
    sitting.shows(b"\r\n" + PROMPT)

    assert sitting.runs(b"ls").place is Place.SHELL


def test_keys_that_a_program_took_are_no_part_of_the_next_line() -> None:
    sitting = _at_prompt()
    sitting.runs(b"less f", prompt=b"\x1b[?1049h\x1b[Htext\x1b[24;1H:")
    sitting.types(b"q", echo=b"\x1b[?1049l\r\x1b[K" + PROMPT)
    sitting.types(b"echo ok")

    line = sitting.holds()

    assert (line.text, line.place, line.secret) == ("echo ok", Place.SHELL, False)


# --- devices ---


@pytest.mark.parametrize(
    ("kind", "prompt"),
    [
        (Kind.CISCO, b"Router#"),
        (Kind.CISCO, b"core-sw1(config-if)#"),
        (Kind.CISCO, b"RP/0/RSP0/CPU0:asr9k#"),
        (Kind.JUNIPER, b"admin@mx480> "),
        (Kind.JUNIPER, b"{master:0}admin@mx480# "),
        (Kind.HUAWEI, b"<HUAWEI>"),
        (Kind.HUAWEI, b"[~HUAWEI-GigabitEthernet0/0/1]"),
        (Kind.OTHER, b"switch> "),
    ],
)
def test_help_is_no_part_of_a_devices_line(kind: Kind, prompt: bytes) -> None:
    sitting = Sitting(kind)
    sitting.shows(prompt)
    sitting.types(b"show ")
    sitting.types(b"?", echo=b"?\r\n  version  interfaces\r\n\r" + prompt + b"show ")
    sitting.types(b"version")

    line = sitting.holds()

    assert (line.text, line.place) == ("show version", Place.DEVICE)


def test_a_word_that_a_device_completes_is_read_as_it_stands() -> None:
    sitting = Sitting(Kind.JUNIPER)
    sitting.shows(b"admin@mx480> ")
    sitting.types(b"req")
    sitting.types(b" ", echo=b"uest ")
    sitting.types(b"sys")
    sitting.types(b" ", echo=b"tem ")
    sitting.types(b"reboot")

    assert sitting.holds().text == "request system reboot"


def test_a_devices_pager_is_given_no_command() -> None:
    sitting = Sitting(Kind.CISCO)
    sitting.shows(b"Router#")
    sitting.types(b"show run")
    sitting.enters(b"hostname Router\r\n", prompt=b" --More-- ")

    assert sitting.holds().text == ""


def test_the_end_of_a_configuration_takes_the_line_that_stands_there() -> None:
    sitting = Sitting(Kind.CISCO)
    sitting.shows(b"Router(config)#")
    sitting.types(b"no router bgp 1")

    assert sitting.holds(b"\x1a").text == "no router bgp 1"


@pytest.mark.parametrize("kind", list(Kind))
def test_a_line_is_cleared_without_running_it(kind: Kind) -> None:
    cancel = profile(kind).cancel

    assert b"\r" not in cancel
    assert b"\n" not in cancel
    assert (cancel == b"") == (kind is Kind.OTHER)


# --- a row that shows only a part ---


def test_a_recalled_line_that_a_row_shows_in_part_is_made_whole() -> None:
    sitting = Sitting(Kind.CISCO)
    sitting.shows(b"Router#")
    long = b"touch " + b"a" * 80 + b"/x HAT"
    sitting.types(long, echo=b"\rRouter#$" + long[-60:])
    sitting.enters(prompt=b"Router#")
    sitting.types(b"\x1b[A", echo=b"\rRouter#$" + long[-60:])
    sitting.types(b"\x7f\x7fIT", echo=b"\rRouter#$" + long[-60:-2] + b"IT")

    line = sitting.holds()

    assert line.text == (long[:-2] + b"IT").decode()
    assert line.unreadable is None


def test_a_part_of_a_line_that_nobody_has_seen_is_unreadable() -> None:
    sitting = Sitting(Kind.CISCO)
    sitting.shows(b"Router#")
    sitting.types(b"\x1b[A", echo=b"\rRouter#$aaaaaaaaaaaaaaaaaaaaaaaaa/x HIT")

    line = sitting.holds()

    assert line.unreadable is not None
    assert any("HIT" in text for text in line.candidates)


# --- after the fact ---


def test_a_line_that_no_enter_ran_appears() -> None:
    sitting = Sitting()
    sitting.shows(ON + PROMPT)
    sitting.types(b"\x14", echo=b"touch HIT\r\n" + OFF + b"\r")

    line = sitting.reader.appeared(sitting.t_us)

    assert line is not None
    assert line.text == "touch HIT"
    assert sitting.reader.appeared(sitting.t_us) is None


def test_a_line_that_nobody_saw_appears_as_unreadable() -> None:
    sitting = Sitting()
    sitting.shows(ON + PROMPT)
    sitting.types(b"\x18\x05", echo=b"\r\n" + OFF + b"\r")

    line = sitting.reader.appeared(sitting.t_us)

    assert line is not None
    assert line.unreadable is not None


def test_a_line_that_changed_after_its_enter_appears() -> None:
    sitting = Sitting()
    sitting.shows(ON + PROMPT)
    sitting.types(b"zz")
    sitting.reader.passed(sitting.t_us, sitting.holds())
    sitting.shows(b"\x1b[2Dtouch HIT\r\n" + OFF, after_ms=5)

    line = sitting.reader.appeared(sitting.t_us)

    assert line is not None
    assert line.text == "touch HIT"


def test_an_interrupt_is_no_line() -> None:
    sitting = Sitting()
    sitting.shows(ON + PROMPT)
    sitting.types(b"ls")
    sitting.types(b"\x03", echo=b"^C\r\n" + OFF + b"\r" + ON + PROMPT)

    assert sitting.reader.appeared(sitting.t_us) is None


def test_a_line_that_was_typed_ahead_without_an_echo_is_given_once_it_is_shown() -> None:
    sitting = Sitting()
    sitting.shows(ON + PROMPT)
    sitting.types(b"sleep 1")
    sitting.reader.passed(sitting.t_us, sitting.holds())
    sitting.types(b"touch HIT", echo=False)
    ahead = sitting.holds()
    sitting.reader.passed(sitting.t_us, ahead)
    sitting.shows(b"\r\n" + OFF, after_ms=2)
    sitting.shows(ON + PROMPT + b"touch HIT\r\n" + OFF, after_ms=900)

    line = sitting.reader.appeared(sitting.t_us)

    assert ahead.secret
    assert line is not None
    assert (line.text, line.secret) == ("touch HIT", False)


# --- what is hostile ---


def test_a_line_of_a_megabyte_is_bounded_and_unreadable() -> None:
    sitting = _at_prompt()
    for _ in range(256):
        sitting.types(b"a" * 4096)

    line = sitting.holds()

    assert line.unreadable is not None or len(line.text) <= 64 * 1024


def test_nuls_and_bells_change_nothing() -> None:
    sitting = _at_prompt()
    sitting.shows(b"\x00\x07\x00")
    sitting.types(b"touch HIT", echo=b"to\x00uch\x07 HIT")

    assert sitting.holds().text == "touch HIT"


def test_text_of_an_input_method_is_text() -> None:
    sitting = _at_prompt()
    sitting.types("touch 日本語 HIT é".encode())

    line = sitting.holds()

    assert line.text == "touch 日本語 HIT é"
    assert line.certain


def test_a_prompt_that_swallows_a_part_of_the_command_does_not_hide_it() -> None:
    sitting = _at_prompt()
    sitting.runs(b"PS1='root@h:~# touch '", prompt=b"root@h:~# touch ")
    sitting.runs(b"x", prompt=PROMPT)
    sitting.types(b"\x1b[A", echo=b"touch HIT")

    assert "touch HIT" in sitting.holds().candidates


def test_noise_in_the_midst_of_a_line_does_not_make_it_a_secret() -> None:
    sitting = _at_prompt()
    sitting.types(b"touch H")
    sitting.shows(b"NOISE\r\n")
    sitting.types(b"IT")

    line = sitting.holds()

    assert (line.text, line.secret) == ("touch HIT", False)
