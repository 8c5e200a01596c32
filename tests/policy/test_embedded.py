"""Shell lines inside the lines that are typed into interpreters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchgate.policy.commands import KnownCommand, Place, Source
from watchgate.policy.embedded import MOST_CALLS, shell_calls
from watchgate.policy.loading import load_text
from watchgate.policy.readings import readings
from watchgate.policy.ruleset import RuleSet
from watchgate.policy.verdicts import Outcome

CALLS = [
    ("python3", "os.system('touch HIT')", ["touch HIT"]),
    ("python3", 'import os; os.system("rm -rf /")', ["rm -rf /"]),
    ("python3", "__import__('os').system('touch HIT')", ["touch HIT"]),
    ("python3", "subprocess.run(['rm', '-rf', '/'])", ["rm -rf /"]),
    ("python3", "subprocess.run('rm -rf /', shell=True)", ["rm -rf /"]),
    ("python3", "subprocess.check_output(('rm', 'a b'))", ["rm 'a b'"]),
    ("python3", "os.execlp('rm', 'rm', '-rf', '/')", ["rm -rf /"]),
    ("python3", "os.popen('id').read()", ["id"]),
    ("python3", "os.system('''rm -rf /''')", ["rm -rf /"]),
    ("python3", "os.system(command)", [None]),
    ("python3", "os.system('rm -rf ' + x)", ["rm -rf "]),
    ("perl", 'system("rm", "-rf", "/")', ["rm -rf /"]),
    ("perl", "`touch HIT`", ["touch HIT"]),
    ("ruby", "%x(touch HIT)", ["touch HIT"]),
    ("lua", 'os.execute("reboot")', ["reboot"]),
    ("node", "require('child_process').execSync('rm -rf /')", ["rm -rf /"]),
    ("psql", "COPY t TO PROGRAM 'sh -c \"rm -rf /\"'", ['sh -c "rm -rf /"']),
    ("psql", "copy t from program 'cat /etc/passwd';", ["cat /etc/passwd"]),
]
NONE = [
    ("python3", "import os"),
    ("python3", "print('touch HIT')"),
    ("python3", "x = system"),
    ("python3", "open(path).read()"),
    ("python3", "loop.run(main())"),
    ("python3", "operating_system('x')"),
    ("psql", "select `a` from t"),
    ("psql", "select * from t where run = 3"),
    ("mysql", "call refresh_orders()"),
]


@pytest.mark.parametrize(("program", "line", "expected"), CALLS)
def test_what_a_call_hands_to_a_shell_is_found(
    program: str, line: str, expected: list[str | None]
) -> None:
    assert list(shell_calls(line, program)) == expected


@pytest.mark.parametrize(("program", "line"), NONE)
def test_what_is_no_call_is_left_alone(program: str, line: str) -> None:
    assert list(shell_calls(line, program)) == []


@given(st.text(max_size=400), st.sampled_from(["python3", "perl", "psql", None]))
def test_it_raises_for_nothing_and_stays_bounded(line: str, program: str | None) -> None:
    assert len(list(shell_calls(line, program))) <= 4 * MOST_CALLS + 400


def test_a_long_line_of_openings_takes_no_time() -> None:
    assert len(list(shell_calls("system('" * 100_000, "python3"))) <= MOST_CALLS


def test_rules_for_shells_hold_for_what_a_program_hands_to_one() -> None:
    rules = RuleSet(
        load_text(
            """
version: 1
rules:
  no-hits: {description: No., action: block, match: {program: touch, args: "*HIT*"}}
  computed: {description: No., action: block, match: {opaque: [computed]}}
""",
            "rules.yaml",
        )
    )

    def verdict(line: str) -> Outcome:
        command = KnownCommand(
            1, line, Source.SCREEN, exact=False, place=Place.PROGRAM, program="python3"
        )
        return rules.decide(command, readings(command), 0).outcome

    assert verdict("os.system('touch HIT')") is Outcome.BLOCK
    assert verdict("os.system(c)") is Outcome.BLOCK
    assert verdict("print('touch HIT')") is Outcome.ALLOW
    assert verdict("touch HIT") is Outcome.ALLOW
