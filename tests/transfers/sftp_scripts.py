"""SFTP conversations and the manifests that are to be read off them."""

from __future__ import annotations

import struct
from collections.abc import Callable

from transfer_packets import (
    NO_ATTRIBUTES,
    PUT,
    READ,
    Chunk,
    Conversation,
    changed,
    moved,
    packet,
    size_attribute,
    string,
)

from watchgate.session.events import Event
from watchgate.transfers.sftp_wire import Fx, Fxf, Fxp

Script = tuple[list[Chunk], list[Event]]
SCRIPTS: list[Callable[[], Script]] = []

APPENDED = "appended to the file"
BROKEN_OFF = "broken off"
MAY_FOLLOW = "the file was not emptied before: more may follow in it"


def script(function: Callable[[], Script]) -> Callable[[], Script]:
    SCRIPTS.append(function)
    return function


@script
def an_upload() -> Script:
    talk = Conversation()
    talk.open(b"/etc/motd", PUT)
    numbers = [talk.write(0, b"hello "), talk.write(6, b"world")]
    for number in numbers:
        talk.status(number)
    talk.close()
    return talk.chunks, [moved("upload", "/etc/motd", b"hello world")]


@script
def an_upload_acknowledged_out_of_order() -> Script:
    talk = Conversation()
    talk.open(b"f", PUT)
    numbers = [talk.write(offset, b"abcd") for offset in (0, 4, 8)]
    for number in reversed(numbers):
        talk.status(number)
    talk.close()
    return talk.chunks, [moved("upload", "f", b"abcdabcdabcd")]


@script
def an_upload_written_out_of_order() -> Script:
    talk = Conversation()
    talk.open(b"f", PUT)
    for offset in (4, 0, 8):
        talk.status(talk.write(offset, b"%04d" % offset))
    talk.close()
    return talk.chunks, [moved("upload", "f", b"000000040008")]


@script
def an_upload_with_a_hole() -> Script:
    talk = Conversation()
    talk.open(b"f", PUT)
    for offset in (0, 100):
        talk.status(talk.write(offset, b"abcd"))
    talk.close()
    return talk.chunks, [moved("upload", "f", None, size=104, complete=False, note="with gaps")]


@script
def an_upload_that_goes_back_over_itself() -> Script:
    talk = Conversation()
    talk.open(b"f", PUT)
    talk.status(talk.write(0, b"abcd"))
    talk.status(talk.write(2, b"XXXX"))
    talk.close()
    return talk.chunks, [moved("upload", "f", None, size=6, note="written over again")]


@script
def an_upload_that_the_target_could_not_store() -> Script:
    talk = Conversation()
    talk.open(b"f", PUT)
    talk.status(talk.write(0, b"abcd"))
    talk.status(talk.write(4, b"efgh"), code=4)
    talk.close()
    note = "the target refused to write; the file was set to 4 octets"
    return talk.chunks, [moved("upload", "f", None, size=4, complete=False, note=note)]


@script
def an_upload_whose_close_failed() -> Script:
    talk = Conversation()
    talk.open(b"f", PUT)
    talk.status(talk.write(0, b"abcd"))
    talk.close(code=4)
    note = "the target failed to close the file"
    return talk.chunks, [moved("upload", "f", b"abcd", complete=False, note=note)]


@script
def an_upload_of_an_empty_file() -> Script:
    talk = Conversation()
    talk.open(b"f", PUT)
    talk.close()
    return talk.chunks, [moved("upload", "f", b"")]


@script
def an_upload_resumed() -> Script:
    talk = Conversation()
    talk.open(b"f", Fxf.WRITE)
    talk.status(talk.write(100, b"tail"))
    talk.close()
    note = f"starts at octet 100; {MAY_FOLLOW}"
    return talk.chunks, [moved("upload", "f", b"tail", complete=False, note=note)]


@script
def an_upload_into_a_file_that_was_there() -> Script:
    talk = Conversation()
    talk.open(b"f", Fxf.WRITE | Fxf.CREAT)
    talk.status(talk.write(0, b"abcd"))
    talk.close()
    return talk.chunks, [moved("upload", "f", b"abcd", complete=False, note=MAY_FOLLOW)]


@script
def an_upload_that_says_where_the_file_ends() -> Script:
    talk = Conversation()
    talk.open(b"f", Fxf.WRITE | Fxf.CREAT)
    talk.status(talk.write(0, b"abcd"))
    talk.status(talk.ask(Fxp.FSETSTAT, string(b"h"), struct.pack(">IQ", 1, 4)))
    talk.close()
    return talk.chunks, [moved("upload", "f", b"abcd")]


@script
def an_upload_cut_short_afterwards() -> Script:
    talk = Conversation()
    talk.open(b"f", PUT)
    talk.status(talk.write(0, b"abcd"))
    talk.status(talk.ask(Fxp.FSETSTAT, string(b"h"), struct.pack(">IQ", 1, 2)))
    talk.close()
    note = "the file was set to 2 octets"
    upload = moved("upload", "f", b"abcd", complete=False, note=note)
    return talk.chunks, [changed("truncate", "f", "2"), upload]


@script
def an_upload_with_its_room_made_first() -> Script:
    talk = Conversation()
    talk.open(b"f", Fxf.WRITE | Fxf.CREAT)
    talk.status(talk.ask(Fxp.FSETSTAT, string(b"h"), struct.pack(">IQ", 1, 4)))
    talk.status(talk.write(0, b"abcd"))
    talk.close()
    return talk.chunks, [changed("truncate", "f", "4"), moved("upload", "f", b"abcd")]


@script
def an_append() -> Script:
    talk = Conversation()
    talk.open(b"log", Fxf.WRITE | Fxf.CREAT | Fxf.APPEND)
    talk.status(talk.write(0, b"one"))
    talk.status(talk.write(0, b"two"))
    talk.close()
    return talk.chunks, [moved("upload", "log", b"onetwo", complete=False, note=APPENDED)]


@script
def an_upload_that_breaks_off() -> Script:
    talk = Conversation()
    talk.open(b"f", PUT)
    talk.status(talk.write(0, b"abcd"))
    talk.write(4, b"efgh")
    note = "broken off; not all of it was acknowledged; the file was set to 4 octets"
    return talk.chunks, [moved("upload", "f", None, size=4, complete=False, note=note)]


@script
def a_download_to_the_end() -> Script:
    talk = Conversation()
    talk.open(b"/etc/passwd", READ)
    numbers = [talk.read(offset, 4) for offset in (0, 4, 8)]
    talk.data(numbers[0], b"abcd")
    talk.data(numbers[1], b"efgh")
    talk.status(numbers[2], Fx.EOF)
    talk.close()
    return talk.chunks, [moved("download", "/etc/passwd", b"abcdefgh")]


@script
def a_download_answered_short_and_out_of_order() -> Script:
    talk = Conversation()
    talk.open(b"f", READ)
    first, second, third = (talk.read(offset, 4) for offset in (0, 4, 8))
    talk.status(third, Fx.EOF)
    talk.data(second, b"ef")
    talk.data(first, b"ab")
    talk.data(talk.read(2, 2), b"cd")
    talk.status(talk.read(6, 2), Fx.EOF)
    talk.close()
    return talk.chunks, [moved("download", "f", b"abcdef")]


@script
def a_download_of_a_size_known_from_the_handle() -> Script:
    talk = Conversation()
    talk.open(b"f", READ)
    talk.answer(talk.ask(Fxp.FSTAT, string(b"h")), Fxp.ATTRS, size_attribute(4))
    talk.data(talk.read(0, 4), b"abcd")
    talk.close()
    return talk.chunks, [moved("download", "f", b"abcd")]


@script
def a_download_of_a_size_known_from_the_path() -> Script:
    talk = Conversation()
    talk.answer(talk.ask(Fxp.STAT, string(b"f")), Fxp.ATTRS, size_attribute(4))
    talk.open(b"f", READ)
    talk.data(talk.read(0, 4), b"abcd")
    talk.close()
    return talk.chunks, [moved("download", "f", b"abcd")]


@script
def downloads_of_sizes_known_from_the_directory() -> Script:
    talk = Conversation()
    opened = talk.ask(Fxp.OPENDIR, string(b"/d"))
    talk.answer(opened, Fxp.HANDLE, string(b"dir"))
    entries = struct.pack(">I", 2)
    entries += string(b"a") + string(b"-rw a") + size_attribute(2)
    entries += string(b"none") + string(b"-rw none") + size_attribute(0)
    talk.answer(talk.ask(Fxp.READDIR, string(b"dir")), Fxp.NAME, entries)
    talk.status(talk.ask(Fxp.READDIR, string(b"dir")), Fx.EOF)
    talk.close(b"dir")
    talk.open(b"/d/a", READ, b"dir")
    talk.data(talk.read(0, 2, b"dir"), b"aa")
    talk.close(b"dir")
    talk.open(b"/d/none", READ)
    talk.close()
    return talk.chunks, [moved("download", "/d/a", b"aa"), moved("download", "/d/none", b"")]


@script
def a_download_through_a_link_whose_own_size_says_nothing() -> Script:
    talk = Conversation()
    talk.answer(talk.ask(Fxp.LSTAT, string(b"l")), Fxp.ATTRS, size_attribute(4, 0o120777))
    talk.open(b"l", READ)
    talk.data(talk.read(0, 4), b"abcd")
    talk.close()
    note = "not read to the end of the file"
    return talk.chunks, [moved("download", "l", b"abcd", complete=False, note=note)]


@script
def a_download_resumed() -> Script:
    talk = Conversation()
    talk.open(b"f", READ)
    talk.data(talk.read(10, 4), b"abcd")
    talk.status(talk.read(14, 4), Fx.EOF)
    talk.close()
    return talk.chunks, [moved("download", "f", b"abcd", complete=False, note="starts at octet 10")]


@script
def a_download_that_looks_at_the_end_first() -> Script:
    talk = Conversation()
    talk.open(b"f.zip", READ)
    talk.data(talk.read(4, 4), b"efgh")
    talk.data(talk.read(0, 4), b"abcd")
    talk.status(talk.read(8, 4), Fx.EOF)
    talk.close()
    return talk.chunks, [moved("download", "f.zip", None, size=8, note="read out of order")]


@script
def a_download_that_breaks_off() -> Script:
    talk = Conversation()
    talk.open(b"f", READ)
    number = talk.read(0, 8)
    talk.chunks.append(
        ("received", packet(Fxp.DATA, struct.pack(">I", number), string(b"abcdefgh"))[:-3])
    )
    return talk.chunks, [moved("download", "f", b"abcde", complete=False, note=BROKEN_OFF)]


@script
def a_handle_that_is_read_and_written() -> Script:
    talk = Conversation()
    talk.open(b"f", Fxf.READ | PUT)
    talk.status(talk.write(0, b"abcd"))
    talk.data(talk.read(0, 4), b"abcd")
    talk.status(talk.read(4, 4), Fx.EOF)
    talk.close()
    return talk.chunks, [moved("download", "f", b"abcd"), moved("upload", "f", b"abcd")]


@script
def two_files_at_once() -> Script:
    talk = Conversation()
    talk.open(b"a", PUT, b"1")
    talk.open(b"b", PUT, b"2")
    numbers = [talk.write(0, b"aa", b"1"), talk.write(0, b"b", b"2"), talk.write(2, b"aa", b"1")]
    for number in numbers:
        talk.status(number)
    talk.close(b"2")
    talk.close(b"1")
    return talk.chunks, [moved("upload", "b", b"b"), moved("upload", "a", b"aaaa")]


@script
def a_handle_given_again_before_its_close_was_answered() -> Script:
    talk = Conversation()
    talk.open(b"a", PUT)
    talk.status(talk.write(0, b"a"))
    closing = talk.ask(Fxp.CLOSE, string(b"h"))
    talk.open(b"b", PUT)
    talk.status(closing)
    talk.status(talk.write(0, b"bb"))
    talk.close()
    return talk.chunks, [moved("upload", "a", b"a"), moved("upload", "b", b"bb")]


@script
def a_copy_on_the_target() -> Script:
    talk = Conversation()
    talk.open(b"a", READ, b"1")
    talk.open(b"b", PUT, b"2")
    talk.status(talk.extended(b"copy-data", string(b"1"), bytes(16), string(b"2"), bytes(8)))
    talk.close(b"1")
    talk.close(b"2")
    note = "the target copied octets into it"
    upload = moved("upload", "b", None, complete=False, note=note)
    return talk.chunks, [changed("copy", "a", "b"), upload]


@script
def changes_of_every_kind() -> Script:
    talk = Conversation()
    talk.status(talk.ask(Fxp.REMOVE, string(b"a")))
    talk.status(talk.ask(Fxp.REMOVE, string(b"b")), 2)
    talk.status(talk.ask(Fxp.MKDIR, string(b"c"), NO_ATTRIBUTES))
    talk.status(talk.ask(Fxp.RMDIR, string(b"c")))
    talk.status(talk.ask(Fxp.RENAME, string(b"d"), string(b"e")))
    talk.status(talk.ask(Fxp.SYMLINK, string(b"pointed"), string(b"link")))
    talk.status(talk.extended(b"posix-rename@openssh.com", string(b"f"), string(b"g")))
    talk.status(talk.extended(b"hardlink@openssh.com", string(b"g"), string(b"h")))
    talk.status(talk.ask(Fxp.SETSTAT, string(b"i"), struct.pack(">IIII", 6, 7, 8, 0o100755)))
    talk.status(talk.ask(Fxp.SETSTAT, string(b"i"), struct.pack(">III", 8, 1, 2)))
    talk.status(talk.ask(Fxp.SETSTAT, string(b"i"), struct.pack(">IQ", 1, 0)))
    talk.status(
        talk.extended(b"lsetstat@openssh.com", string(b"j"), struct.pack(">II", 4, 0o120644))
    )
    return talk.chunks, [
        changed("remove", "a"),
        changed("remove", "b", succeeded=False),
        changed("mkdir", "c"),
        changed("rmdir", "c"),
        changed("rename", "d", "e"),
        changed("symlink", "link", "pointed"),
        changed("posix-rename", "f", "g"),
        changed("hardlink", "h", "g"),
        changed("chown", "i", "7:8"),
        changed("chmod", "i", "0755"),
        changed("truncate", "i", "0"),
        changed("chmod", "j", "0644"),
    ]


@script
def a_directory_that_is_looked_at_and_changed_by_its_handle() -> Script:
    talk = Conversation()
    talk.answer(talk.ask(Fxp.OPENDIR, string(b"/d")), Fxp.HANDLE, string(b"h"))
    talk.answer(talk.ask(Fxp.FSTAT, string(b"h")), Fxp.ATTRS, size_attribute(4096, 0o040755))
    talk.status(talk.ask(Fxp.FSETSTAT, string(b"h"), struct.pack(">II", 4, 0o040700)))
    talk.close()
    return talk.chunks, [changed("chmod", "/d", "0700")]


@script
def a_change_that_was_never_answered() -> Script:
    talk = Conversation()
    talk.ask(Fxp.REMOVE, string(b"a"))
    return talk.chunks, [changed("remove", "a", succeeded=False)]


@script
def a_path_that_is_not_text() -> Script:
    talk = Conversation()
    talk.status(talk.ask(Fxp.REMOVE, string(b"\xff\n")))
    return talk.chunks, [changed("remove", "\udcff\n")]


@script
def things_that_move_and_change_nothing() -> Script:
    talk = Conversation()
    names = struct.pack(">I", 1) + string(b"/home") + string(b"") + NO_ATTRIBUTES
    talk.answer(talk.ask(Fxp.REALPATH, string(b".")), Fxp.NAME, names)
    talk.answer(talk.extended(b"limits@openssh.com"), Fxp.EXTENDED_REPLY, bytes(32))
    talk.status(talk.ask(Fxp.OPEN, string(b"f"), struct.pack(">I", PUT), NO_ATTRIBUTES), 3)
    talk.open(b"f", READ)
    talk.close()
    talk.close(b"unknown", 4)
    return talk.chunks, []
