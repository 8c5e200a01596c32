"""The tables of programs: every row reads, and no two say what cannot both be."""

from __future__ import annotations

import pytest

from watchgate.policy.shell import options as programs_given
from watchgate.policy.shell.flags import options
from watchgate.policy.shell.known import Known
from watchgate.policy.shell.programs import known
from watchgate.policy.shell.tables.files import FILES
from watchgate.policy.shell.tables.network import NETWORK
from watchgate.policy.shell.tables.opaque import ELSEWHERE, ESCAPES, LANGUAGES, SAYING
from watchgate.policy.shell.tables.system import SYSTEM
from watchgate.policy.shell.tables.wrappers import WRAPPERS


@pytest.mark.parametrize("name", sorted({**FILES, **SYSTEM, **NETWORK}))
def test_a_row_of_a_table_reads(name: str) -> None:
    row = known(name)

    assert isinstance(row, Known)
    assert options(row.flags) is options(row.flags)
    assert not any(flag.name.startswith("-") for flag in options(row.flags).long.values())


@pytest.mark.parametrize("name", sorted(WRAPPERS))
def test_a_row_of_a_wrapper_reads(name: str) -> None:
    row = WRAPPERS[name]
    flags = options(row.flags)
    every = {f.name for f in (*flags.short.values(), *flags.long.values())}

    for named in (row.user_flag, row.text_flag):
        assert not named or named in every, named


def test_a_program_is_in_one_table_of_what_is_opaque() -> None:
    assert not ESCAPES & ELSEWHERE
    assert not LANGUAGES.keys() & (ESCAPES | ELSEWHERE)
    assert {"--version", "--help"} <= SAYING


def test_options_that_give_programs_are_flags_of_their_programs() -> None:
    for name, given in programs_given.GIVEN.items():
        row = known(name).flags or WRAPPERS[name].flags
        flags = {
            flag.name
            for table in (options(row).short, options(row).long)
            for flag in table.values()
        }

        assert given.keys() <= flags | {"use-askpass", "script"}, name
