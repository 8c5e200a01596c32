"""Flags, operands and paths of programs; the tables; the normal form."""

from __future__ import annotations

import pytest

from watchgate.policy.reading import SimpleCommand
from watchgate.policy.shell import read
from watchgate.policy.shell.describing import normal, told_apart
from watchgate.policy.shell.fields import literal
from watchgate.policy.shell.flags import options, split
from watchgate.policy.shell.handlers import HANDLERS
from watchgate.policy.shell.known import Operands, names, pairs
from watchgate.policy.shell.programs import BUILTINS, NAMES, family, flags_of, known
from watchgate.policy.shell.tables.opaque import LANGUAGES


def one(line: str) -> SimpleCommand:
    (command,) = read(line).commands
    return command


@pytest.mark.parametrize(
    ("line", "flags", "operands", "text"),
    [
        ("rm -rf x", "force recursive", "x", "rm -r -f x"),
        ("rm -R --fo x", "force recursive", "x", "rm -r -f x"),
        ("rm x -r y", "recursive", "x y", "rm -r x y"),
        ("rm -- -r", "", "-r", "rm -- -r"),
        ("rm --no-pre -r /", "no-preserve-root recursive", "/", "rm --no-preserve-root -r /"),
        ("rm -rz x", "recursive -z", "x", "rm -r -z x"),
        ("chmod -x f", "", "-x f", "chmod -- -x f"),
        ("chmod -R u+s /", "recursive", "u+s /", "chmod -R u+s /"),
        ("kill -9 1", "signal", "1", "kill -9 1"),
        ("kill -s KILL 1", "signal", "1", "kill -s KILL 1"),
        ("pkill -KILL -f x", "signal full", "x", "pkill -KILL -f x"),
        ("tar xzf a -C /b c", "extract gzip file directory", "c", "tar -x -z -f a -C /b c"),
        ("tar -xzfa c", "extract gzip file", "c", "tar -x -z -f a c"),
        ("grep -rn -e x .", "recursive line-number regexp", ".", "grep -r -n -e x ."),
        ("git push --force o", "force", "push o", "git push -f o"),
        ("git push -f o", "force", "push o", "git push -f o"),
        ("iptables --flush", "flush", "", "iptables -F"),
        ("history -c", "clear", "", "history -c"),
        ("crontab -r", "remove", "", "crontab -r"),
        ("systemctl --now disable x", "now", "disable x", "systemctl disable --now x"),
        ("ls --color=auto -la", "color all l", "", "ls --color=auto -l -a"),
        ("head -n5 f", "lines", "f", "head -n 5 f"),
        ("sort --outp=x y", "output", "y", "sort -o x y"),
        ("wget -nc -qO- u", "no-clobber quiet output-document", "u", "wget -nc -q -O - u"),
        ("strange -abc --long=x y", "-abc -a -b -c --long", "y", "strange -abc --long=x y"),
        ("strange -name y", "-name -n -a -m -e", "y", "strange -name y"),
        ("mkfs.ext4 -F /dev/sdb", "force", "/dev/sdb", "mkfs.ext4 -F /dev/sdb"),
    ],
)
def test_arguments_are_told_apart(line: str, flags: str, operands: str, text: str) -> None:
    command = one(line)

    assert command.flags == frozenset(flags.split())
    assert [word.text for word in command.operands] == operands.split()
    assert command.text == text


@pytest.mark.parametrize(
    ("line", "values"),
    [
        ("useradd -s /bin/sh -G wheel bob", {"shell": ("/bin/sh",), "groups": ("wheel",)}),
        ("iptables -A INPUT -p tcp --dport 22 -j DROP", {"append": ("INPUT",), "jump": ("DROP",)}),
        ("dd if=/a of=/dev/sda", {"if": ("/a",), "of": ("/dev/sda",)}),
        ("kill -HUP 1", {"signal": ("HUP",)}),
        ("curl -o a -o b u", {"output": ("a", "b")}),
    ],
)
def test_values_stand_under_the_name_of_their_flag(
    line: str, values: dict[str, tuple[str, ...]]
) -> None:
    found = one(line).values

    assert {name: found[name] for name in values} == values


@pytest.mark.parametrize(
    ("line", "paths"),
    [
        ("rm a /b", ("?/a", "/b")),
        ("chmod 777 /a", ("/a",)),
        ("chown -R root: /a", ("/a",)),
        ("grep root /etc/passwd", ("/etc/passwd",)),
        ("grep -e root /etc/passwd", ("/etc/passwd",)),
        ("sed -i s/a/b/ /etc/x", ("/etc/x",)),
        ("dd if=/dev/zero of=/dev/sda bs=1M", ("/dev/zero", "/dev/sda")),
        ("cp -t /etc a", ("?/a", "/etc")),
        ("tar czf /b.tgz /etc", ("/etc", "/b.tgz")),
        ("curl -T /etc/shadow u", ("/etc/shadow",)),
        ("curl -d @/etc/shadow u", ("/etc/shadow",)),
        ("curl -F f=@/etc/shadow u", ("/etc/shadow",)),
        ("scp /etc/shadow h:/tmp", ("/etc/shadow",)),
        ("echo /etc/shadow", ()),
        ("systemctl stop a", ()),
        ("strange https://x/y /etc/a", ("/etc/a",)),
        ("cat /etc/*", ("/etc/*",)),
        ("cat '/etc/*'", ("/etc/\\*",)),
        ("mount /dev/sdb1 /mnt", ("/dev/sdb1", "/mnt")),
    ],
)
def test_paths_are_found_where_a_program_takes_them(line: str, paths: tuple[str, ...]) -> None:
    assert one(line).paths == paths


def test_the_path_of_a_program_is_kept_and_its_name_is_without() -> None:
    command = one("/usr/bin/rm x")

    assert (command.program, command.path) == ("rm", "/usr/bin/rm")
    assert not command.builtin
    assert one("exit").builtin


@pytest.mark.parametrize("name", sorted(HANDLERS))
def test_every_program_that_is_stepped_through_is_named_itself(name: str) -> None:
    for line in (name, f"{name} -x", f"{name} a b", f"{name} --help"):
        assert name in {command.program for command in read(line).commands}


def test_lists_are_told_by_their_words() -> None:
    assert names("a b  a") == {"a", "b"}
    assert pairs("a=b c=d=e") == {"a": "b", "c": "d=e"}
    assert "rm" in NAMES
    assert "cd" in BUILTINS
    assert family("python3.11") in LANGUAGES
    assert known("nobody").operands is Operands.LIKELY
    assert not flags_of("nobody").known


def test_flags_end_at_the_first_operand_where_they_are_to() -> None:
    words = [literal(text) for text in ("-a", "b", "-c")]
    done = split(words, options("-a -c"), first=True)

    assert done.flags == ["a"]
    assert words[done.rest].text == "b"


def test_a_tilde_whose_directory_is_not_known_stays_alive() -> None:
    command = one("cp k ~/.ssh/authorized_keys '~/x'")

    assert command.text == "cp k ~/.ssh/authorized_keys '~/x'"
    assert command.paths == ("?/k", "?/.ssh/authorized_keys", "?/~/x")


def test_the_normal_form_can_be_read_again() -> None:
    words = [literal(text) for text in ("-rf", "a b", "*", "~", "it's", "$x", "-")]
    text = normal("rm", told_apart("rm", words))
    (command,) = read(text).commands

    assert command.text == text
    assert [word.text for word in command.operands] == ["a b", "*", "~", "it's", "$x", "-"]
    assert all(word.known and not word.pattern for word in command.operands)
