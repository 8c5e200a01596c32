"""What is an rsync command, and what its arguments say."""

from __future__ import annotations

import pytest

from watchgate.transfers.rsync_claim import claims, complete


@pytest.mark.parametrize(
    "command",
    [
        "rsync --server -logDtpre.iLsfxCIvu . /tmp/x/",
        "/usr/bin/rsync --server --sender -vlogDtprze.iLsfxCIvu . /etc/host*",
        "sudo rsync --server -re.iLsfxCIvu . dir",
        "sudo -n rsync --server -re.iLsfxCIvu . dir",
        r"rsync --server -e.LsfxCIvu . a\ b\;c",
        "rsync --server -e.LsfxCIvu . 'a;b'",
        "rsync --server -e.LsfxCIvu . a#b",
    ],
)
def test_a_plain_rsync_server_is_a_claim(command: str) -> None:
    assert claims(command) is not None


@pytest.mark.parametrize(
    "command",
    [
        "",
        "rsync",
        "rsync -a x y",
        "scp -t x",
        "rsync --server --daemon .",
        "rsync --server -e. . x; bash",
        "rsync --server -e. . x && bash",
        "rsync --server -e. . $(bash)",
        "rsync --server -e. . `bash`",
        'rsync --server -e. . "$(bash)"',
        "rsync --server -e. . x | tee y",
        "rsync --server -e. . x > y",
        "rsync --server -e. . x\nbash",
        "rsync --server -e. . x \\\nbash",
        "rsync --server -e. . 'unfinished",
        "rsync --server -e. . x # comment",
        "FOO=1 rsync --server . x",
        "sudo -u root rsync --server . x",
        "xrsync --server . x",
    ],
)
def test_anything_else_is_no_claim(command: str) -> None:
    assert claims(command) is None


def test_the_arguments_of_an_upload_are_read() -> None:
    claim = claims(
        "rsync --server -vlHogDtpAXrze.iLsfxCIvu --delete --numeric-ids --backup-dir . --append . /srv/x"
    )

    assert claim is not None
    assert claim.direction == "upload"
    assert claim.paths == ("/srv/x",)
    assert claim.capabilities == "iLsfxCIvu"
    assert all(claim.has(letter) for letter in "HAXogz")
    assert (claim.delete, claim.numeric_ids, claim.append) == (True, True, True)
    assert claim.compression == "auto"
    assert claim.filters
    assert claim.unknown == ()


def test_an_upload_without_deletion_sends_no_filters() -> None:
    claim = claims("rsync --server -re.iLsfxCIvu --delete-missing-args . x")

    assert claim is not None
    assert not claim.filters


@pytest.mark.parametrize(
    ("options", "compression"),
    [
        ("-re.v", None),
        ("-rze.v", "auto"),
        ("-re.v --new-compress", "zlibx"),
        ("-rze.v --old-compress", "zlib"),
        ("-re.v --compress-choice=zstd", "zstd"),
        ("-re.v --compress-choice=none", None),
    ],
)
def test_the_compression_is_named_or_agreed_on(options: str, compression: str | None) -> None:
    claim = claims(f"rsync --server {options} . x")

    assert claim is not None
    assert claim.compression == compression


def test_an_unknown_option_is_a_claim_that_says_so() -> None:
    claim = claims("rsync --server -rZe.v --tomorrow=1 . x")

    assert claim is not None
    assert claim.unknown == ("-Z", "--tomorrow")


def test_secluded_arguments_complete_the_claim() -> None:
    claim = claims("rsync --server -slogDtpre.iLsfxCIvu")
    assert claim is not None
    whole = complete(claim, ["rsync", "--delete", ".", "it is; here"])

    assert claim.secluded
    assert claim.paths == ()
    assert whole.paths == ("it is; here",)
    assert whole.delete
    assert whole.has("D")
