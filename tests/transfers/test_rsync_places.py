"""Where the entries of a list lie on the target."""

from __future__ import annotations

import pytest

from watchgate.transfers.rsync_claim import claims
from watchgate.transfers.rsync_places import Places


def place(arguments: str, name: bytes, alone: bool = False) -> tuple[str, str]:
    claim = claims(f"rsync --server {arguments}")
    assert claim is not None
    found = Places(claim).of(name, alone)
    return found.path, found.note


@pytest.mark.parametrize(
    ("arguments", "name", "path"),
    [
        ("-re.v . /srv/www/", b"a/b", "/srv/www/a/b"),
        ("-re.v . /srv/www", b"a/b", "/srv/www/a/b"),
        ("-re.v . .", b"a/b", "a/b"),
        ("-re.v . /srv", b".", "/srv"),
        ("-rRe.v . /srv", b"/etc/hosts", "/srv/etc/hosts"),
        ("--sender -re.v . /etc/", b"hosts", "/etc/hosts"),
        ("--sender -re.v . /etc/.", b"hosts", "/etc/hosts"),
        ("--sender -re.v . /etc", b"etc/hosts", "/etc/hosts"),
        ("--sender -re.v . etc", b"etc/hosts", "etc/hosts"),
        ("--sender -re.v . /var/log/*.log", b"a.log", "/var/log/a.log"),
        ("--sender -re.v . /a/x /b/y", b"y/1", "/b/y/1"),
        ("--sender -re.v . /a/x /b/", b"other", "/b/other"),
        ("--sender -rRe.v . /etc/hosts", b"/etc/hosts", "/etc/hosts"),
        ("--sender -rRe.v . /srv/./www", b"www/a", "/srv/www/a"),
        ("--sender -rRe.v --files-from=- . /srv", b"www/a", "/srv/www/a"),
        (r"--sender -re.v . /srv/a\ b", b"a b/c", "/srv/a b/c"),
    ],
)
def test_a_name_is_joined_as_the_command_says(arguments: str, name: bytes, path: str) -> None:
    assert place(arguments, name) == (path, "")


def test_octets_that_are_no_text_are_kept() -> None:
    assert place("-re.v . /srv", b"\xff") == ("/srv/\udcff", "")


def test_a_single_file_may_be_the_destination_itself_and_the_note_says_so() -> None:
    path, note = place("-e.v . /srv/new", b"old", alone=True)

    assert path == "/srv/new/old"
    assert "/srv/new" in note


def test_a_single_file_of_the_destinations_name_is_the_destination() -> None:
    assert place("-e.v . /etc/hosts", b"hosts", alone=True) == ("/etc/hosts", "")


def test_one_of_several_sources_is_not_guessed() -> None:
    path, note = place("--sender -re.v . /a/ /b/", b"x")

    assert path == "x"
    assert "/a/, /b/" in note
