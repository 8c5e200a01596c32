"""What each condition asks, of commands that are known, that may be several, and that cannot be read."""

from __future__ import annotations

import time
from typing import Any

import pytest
from rule_cases import decided, given, matches, reading, rule, simple, typed_into, word, writing

from watchgate.policy.candidates import candidates
from watchgate.policy.commands import Place, Source
from watchgate.policy.conditions import Program, globs_of
from watchgate.policy.reading import Opaque, Reading, Reason
from watchgate.policy.truth import MAY, NO, YES

RM = simple("rm -rf /etc/x", "recursive", "force")
SUDO_RM = simple("rm -rf /etc/x", "recursive", "force", wrappers=("sudo",), user="root")
CURL = simple("curl -o /tmp/x http://h/x", "output", values={"output": ("/tmp/x",)})
OPAQUE = reading(opaque=[Opaque(Reason.LANGUAGE, "import os", "python3")], line="python3 -c …")

CASES: list[tuple[dict[str, Any], Reading, bool]] = [
    ({"program": "rm"}, reading(RM), True),
    ({"program": "RM"}, reading(RM), False),
    ({"program": ["dd", "r?"]}, reading(RM), True),
    ({"program": "mkfs*"}, reading(simple("mkfs.ext4 /dev/sda")), True),
    ({"program": "/usr/bin/*"}, reading(RM), False),
    ({"program": "/usr/bin/*"}, reading(simple("/usr/bin/rm x")), True),
    ({"program": "rm"}, reading(simple("/usr/bin/rm x")), True),
    ({"program": "rm"}, reading(simple("echo rm")), False),
    ({"flags": "recursive"}, reading(RM), True),
    ({"flags": ["recursive", "force"]}, reading(RM), True),
    ({"flags": ["recursive", "verbose"]}, reading(RM), False),
    ({"flags": {"any": ["recursive", "verbose"]}}, reading(RM), True),
    ({"flags": {"only": ["recursive"]}}, reading(RM), False),
    ({"flags": {"only": []}}, reading(simple("ls")), True),
    ({"args": "/etc/*"}, reading(RM), True),
    ({"args": "-rf"}, reading(RM), True),
    ({"args": "et*"}, reading(RM), False),
    ({"path": "/etc/**"}, reading(RM), True),
    ({"path": ["/", "/usr/**"]}, reading(RM), False),
    ({"redirect": "/etc/**"}, reading(simple("echo x", redirects=writing("/etc/passwd"))), True),
    ({"redirect": "/etc/**"}, reading(simple("cat", redirects=writing("/etc/passwd", "<"))), False),
    ({"redirect": "/etc/**"}, reading(simple("echo", redirects=writing("/e", "2>"))), False),
    ({"redirect": "/etc/**"}, reading(simple("echo x", redirects=writing(None))), True),
    ({"wrapper": "sudo"}, reading(SUDO_RM), True),
    ({"wrapper": "sudo"}, reading(RM), False),
    ({"user": "root"}, reading(SUDO_RM), True),
    ({"value": {"output": "/tmp/*"}}, reading(CURL), True),
    ({"value": {"output": "/etc/*"}}, reading(CURL), False),
    ({"regex": "^rm .*/etc"}, reading(RM), True),
    ({"regex": "^rm .*/etc"}, reading(simple("echo")), False),
    ({"line": "ls; rm"}, reading(simple("ls"), RM), True),
    ({"regex": "ls; rm"}, reading(simple("ls"), RM), False),
    ({"opaque": True}, OPAQUE, True),
    ({"opaque": "language"}, OPAQUE, True),
    ({"opaque": ["script", "piped"]}, OPAQUE, False),
    ({"opaque": True}, reading(RM), False),
    ({"opaque": "language", "program": "python*"}, OPAQUE, True),
    ({"opaque": "language", "program": "perl"}, OPAQUE, False),
    ({"opaque": "language", "regex": "import os"}, OPAQUE, True),
    ({"source": "exec"}, reading(RM), True),
    ({"source": ["stdin", "keys"]}, reading(RM), False),
    ({"confidence": "exact"}, reading(RM), True),
    ({"confidence": "inferred"}, reading(RM), False),
    ({"place": ["shell", "escape"]}, reading(RM), True),
    ({"place": "device"}, reading(RM), False),
]


@pytest.mark.parametrize(("match", "line", "expected"), CASES, ids=lambda value: str(value)[:60])
def test_a_condition_holds_where_it_should(
    match: dict[str, Any], line: Reading, expected: bool
) -> None:
    assert matches(match, line) is expected


# --- one simple command at a time ----------------------------------------------------------------


def test_conditions_are_about_the_same_simple_command() -> None:
    line = reading(simple("rm x"), simple("ls -R", "recursive"))

    assert not matches({"program": "rm", "flags": "recursive"}, line)
    assert not matches({"all": [{"program": "rm"}, {"flags": "recursive"}]}, line)
    assert not matches({"all": [{"program": "rm"}, {"program": "ls"}]}, line)


def test_beside_is_about_another_command_of_the_same_line() -> None:
    match = {"program": "tar", "beside": {"program": ["nc", "curl"]}}

    assert matches(match, reading(simple("tar c /etc"), simple("nc h 1")))
    assert not matches(match, reading(simple("tar c /etc"), simple("gzip")))
    assert not matches({"program": "rm", "beside": {"program": "rm"}}, reading(simple("rm x")))


def test_two_equal_commands_stand_beside_each_other() -> None:
    same = simple("rm x")

    assert matches({"program": "rm", "beside": {"program": "rm"}}, reading(same, same))


def test_a_line_of_many_commands_is_decided_in_time_that_grows_with_its_length() -> None:
    rules = [
        rule(
            "beside", match={"program": "rm", "beside": {"program": "x", "beside": {"user": "y"}}}
        ),
        rule("line", match={"program": "rm", "line": "x(.*)y$", "args": "z"}),
    ]
    long = reading(*(simple(f"rm x{n}") for n in range(5_000)))
    begun = time.process_time()
    verdict = decided(rules, long, account="www")

    assert verdict.matches == ()
    assert time.process_time() - begun < 5


def test_beside_sees_what_cannot_be_read_only_where_it_says_so() -> None:
    piped = [Opaque(Reason.PIPED, "sh", "sh")]
    line = reading(simple("curl http://h"), opaque=piped)

    assert matches({"program": "curl", "beside": {"opaque": "piped"}}, line)
    assert not matches({"program": "curl", "beside": {"program": "sh"}}, line)


def test_any_and_not_are_about_the_same_command_too() -> None:
    match = {"program": "rm", "not": {"any": [{"path": "/tmp/**"}, {"flags": "interactive"}]}}

    assert matches(match, reading(simple("ls /tmp/x"), simple("rm /etc/x")))
    assert not matches(match, reading(simple("rm /tmp/x"), simple("ls /etc/x")))


# --- what is not known ---------------------------------------------------------------------------


def test_a_variable_may_be_what_is_forbidden_and_is_not_what_is_permitted() -> None:
    line = reading(simple("touch $X"))

    assert matches({"program": "touch", "args": "HIT"}, line)
    assert not matches({"program": "touch", "args": "HIT"}, line, action="force")


def test_what_stands_before_a_variable_counts() -> None:
    line = reading(simple("touch build-$X"))

    assert matches({"args": "build-*"}, line)
    assert not matches({"args": "HIT"}, line)


def test_a_glob_may_be_what_is_forbidden() -> None:
    assert matches({"args": "HIT"}, reading(simple("touch H?T")))
    assert matches({"args": "HIT"}, reading(simple("touch [HX]IT")))
    assert not matches({"args": "HIT"}, reading(simple("touch *.log")))
    assert not matches({"args": "HIT"}, reading(simple("touch H?T")), action="force")


def test_a_word_of_which_nothing_is_known_may_be_flags_unless_it_is_quoted() -> None:
    match = {"program": "rm", "flags": "recursive"}

    assert matches(match, reading(simple("rm $X")))
    assert not matches(match, reading(simple('rm "$X"')))
    assert not matches(
        {"program": "rm", "flags": {"only": []}}, reading(simple("rm $X")), action="force"
    )


def test_a_regex_is_never_certain_of_a_command_that_is_not_known() -> None:
    line = reading(simple("ls $X"))

    assert matches({"regex": "^ls"}, line)
    assert not matches({"regex": "^ls"}, line, action="force")
    assert not matches({"program": "ls", "not": {"regex": "-R"}}, line, action="force")
    assert not matches({"regex": "-R"}, line)


def test_a_program_without_a_name_may_be_any() -> None:
    line = reading(simple("x", program=""))

    assert matches({"program": "rm"}, line)
    assert not matches({"program": "rm"}, line, action="force")


def test_with_certain_what_only_may_match_is_no_match() -> None:
    line = reading(simple("touch $X"))
    hesitant = rule(match={"args": "HIT"}, certain=True)

    assert not decided(hesitant, line).matches
    assert decided(hesitant, reading(simple("touch HIT"))).matches


def test_of_a_part_that_cannot_be_read_its_paths_may_be_any() -> None:
    assert matches({"opaque": True, "path": "/etc/**"}, OPAQUE)
    assert not matches({"opaque": True, "path": "/etc/**"}, OPAQUE, action="force")
    assert not matches({"opaque": True, "not": {"path": "/etc/**"}}, OPAQUE, action="force")


# --- several paths -------------------------------------------------------------------------------


def test_a_rule_that_forbids_needs_one_path_and_one_that_permits_needs_all() -> None:
    both = reading(simple("cat /var/log/a /etc/shadow"))
    match = {"program": "cat", "path": "/var/log/**"}

    assert matches(match, both)
    assert not matches(match, both, action="force")
    assert matches(match, reading(simple("cat /var/log/a /var/log/b")), action="force")


def test_beneath_not_it_is_the_other_way_round() -> None:
    outside = {"program": "rm", "not": {"path": "/tmp/**"}}

    assert matches(outside, reading(simple("rm /tmp/a /etc/b")))
    assert not matches(outside, reading(simple("rm /tmp/a /tmp/b")))
    assert not matches(
        {"program": "rm", "not": {"path": "/etc/**"}},
        reading(simple("rm /tmp/a /etc/b")),
        action="force",
    )


def test_a_permitting_rule_with_paths_wants_one() -> None:
    assert not matches({"program": "ls", "path": "/var/**"}, reading(simple("ls")), action="force")


def test_a_glob_below_a_permitted_directory_is_certain() -> None:
    match = {"program": "cat", "path": "/var/log/**"}

    assert matches(match, reading(simple("cat /var/log/*.log")), action="force")
    assert not matches(match, reading(simple("cat /var/log/.*")), action="force")
    assert not matches(match, reading(simple("cat /var/*/x")), action="force")
    assert not matches(match, reading(simple("cat $X")), action="force")


def test_every_operand_of_a_permitted_command_must_match() -> None:
    match = {"program": "systemctl", "args": ["status", "nginx"]}

    assert matches(match, reading(simple("systemctl status nginx")), action="force")
    assert not matches(match, reading(simple("systemctl stop nginx")), action="force")


# --- what a rule sees ----------------------------------------------------------------------------


def test_what_cannot_be_read_is_seen_only_where_a_rule_says_opaque() -> None:
    assert not matches({"program": "python3"}, OPAQUE)
    assert not matches({"regex": "import"}, OPAQUE)
    assert matches({"any": [{"program": "rm"}, {"opaque": True}]}, OPAQUE)
    assert not matches({"any": [{"not": {"program": "rm"}}, {"opaque": "script"}]}, OPAQUE)


def test_a_line_that_does_not_parse_is_put_to_regexes() -> None:
    broken = reading(opaque=[Opaque(Reason.UNPARSED, "rm -rf / '")], line="rm -rf / '")

    assert matches({"regex": "rm -rf"}, broken)
    assert matches({"line": "rm -rf"}, broken)
    assert not matches({"program": "rm"}, broken)
    assert not matches({"opaque": "unparsed"}, reading(simple("rm x")))


def test_a_comment_is_seen_by_line_alone() -> None:
    comment = Reading("# rm -rf /")

    assert not matches({"regex": "rm"}, comment)
    assert not matches({"program": "rm"}, comment)
    assert matches({"line": "rm"}, comment)


def test_program_input_is_seen_only_where_a_rule_says_inside() -> None:
    command, readings = typed_into("psql", "DROP TABLE orders;")
    said: dict[str, Any] = {"place": command.place, "program": command.program}

    assert matches({"inside": "psql", "regex": "(?i)drop table"}, *readings, **said)
    assert matches({"inside": ["psql", "mysql"], "line": "(?i)drop"}, *readings, **said)
    assert not matches({"inside": "mysql", "regex": "(?i)drop"}, *readings, **said)
    assert not matches({"regex": "(?i)drop"}, *readings, **said)
    assert not matches({"line": "(?i)drop"}, *readings, **said)
    assert not matches({"any": [{"inside": "mysql"}, {"regex": "DROP"}]}, *readings, **said)
    assert matches(
        {"any": [{"inside": "psql"}, {"inside": "mysql"}], "regex": "DROP"}, *readings, **said
    )


def test_a_shell_escape_is_decided_like_a_shell_line() -> None:
    said: dict[str, Any] = {"place": Place.ESCAPE, "program": "vim"}

    assert matches({"program": "rm"}, reading(RM), **said)
    assert matches({"program": "rm", "inside": "vim"}, reading(RM), **said)
    assert not matches({"program": "rm", "inside": "less"}, reading(RM), **said)


def test_the_account_of_the_session_is_the_user_where_no_wrapper_says() -> None:
    assert matches({"user": "root"}, reading(RM), account="root")
    assert not matches({"user": "root"}, reading(RM), account="www")
    assert matches({"user": "root"}, reading(SUDO_RM), account="www")


def test_every_reading_of_a_line_counts() -> None:
    assert matches({"program": "rm"}, reading(simple("ls")), reading(RM))


def test_a_command_without_a_reading_is_one_that_does_not_parse() -> None:
    assert matches({"opaque": "unparsed"}, text="x", source=Source.SCREEN)


def test_text_that_is_no_text_breaks_nothing() -> None:
    line = reading(simple("rm /etc/\udcff\x00", "force"))

    assert matches({"regex": r"/etc/.\x00$"}, line)
    assert matches({"program": "rm", "args": "/etc/*"}, line)


def test_truth_of_a_program() -> None:
    condition = Program(globs_of(["rm"]))
    command, readings = given(reading(RM, simple("x", program=""), simple("ls")))

    assert [condition.truth(one, False) for one in candidates(command, readings)] == [YES, MAY, NO]


def test_a_value_of_a_flag_that_is_not_known_may_be_any() -> None:
    unknown = simple("curl -o $X h", "output", values={"output": ("$X",)})

    assert matches({"value": {"output": "/etc/*"}}, reading(unknown))
    assert not matches({"value": {"output": "/etc/*"}}, reading(unknown), action="force")


def test_a_quoted_word_is_made_as_the_reader_makes_it() -> None:
    assert word('"$X"').raw.startswith('"')
