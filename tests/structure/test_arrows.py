"""Who may import whom: the arrows of the design, held."""

from __future__ import annotations

import fnmatch

import pytest

from .source_tree import Module, modules

# From (a pattern of module names) to what they must not import, and why.
FORBIDDEN: list[tuple[str, tuple[str, ...], str]] = [
    (
        "watchgate.session*",
        (
            *("watchgate.protocols", "watchgate.recording", "watchgate.storage"),
            *("watchgate.catalog", "watchgate.vault", "watchgate.identity"),
            *("watchgate.api", "watchgate.cli", "watchgate.app", "watchgate.demo"),
        ),
        "the spine knows no protocol, no store and no web",
    ),
    (
        "watchgate.protocols*",
        (
            *("watchgate.catalog", "watchgate.recording", "watchgate.api", "watchgate.cli"),
            *("watchgate.app", "watchgate.vault", "watchgate.identity", "watchgate.demo"),
        ),
        "a protocol is given its services by the composition root",
    ),
    (
        "watchgate.terminal*",
        ("watchgate.protocols", "watchgate.recording", "watchgate.catalog", "watchgate.cli"),
        "reading a terminal needs neither a protocol nor a store",
    ),
    (
        "watchgate.policy*",
        (
            *(
                "watchgate.session",
                "watchgate.protocols",
                "watchgate.recording",
                "watchgate.catalog",
            ),
            *("watchgate.vault", "watchgate.terminal", "watchgate.api", "watchgate.cli"),
            *("watchgate.app", "watchgate.siem", "watchgate.reports", "watchgate.indexing"),
        ),
        "what a line means and what rules say of it depends on nothing but the line and the rules",
    ),
    (
        "watchgate.transfers*",
        ("watchgate.protocols", "watchgate.recording", "watchgate.catalog", "watchgate.cli"),
        "reading a transfer needs neither a protocol's engine nor a store",
    ),
    (
        "watchgate.recording*",
        (
            *("watchgate.protocols", "watchgate.catalog", "watchgate.identity"),
            *("watchgate.api", "watchgate.cli", "watchgate.app", "watchgate.vault"),
        ),
        "a recording can be read where there is no gateway",
    ),
    (
        "watchgate.catalog*",
        ("watchgate.protocols", "watchgate.recording", "watchgate.api", "watchgate.cli"),
        "the catalog is a projection, filled from outside",
    ),
    (
        "watchgate.vault*",
        ("watchgate.protocols", "watchgate.recording", "watchgate.api", "watchgate.cli"),
        "the vault knows nothing of who asks",
    ),
    (
        "watchgate.identity*",
        ("watchgate.protocols", "watchgate.recording", "watchgate.api", "watchgate.cli"),
        "who somebody is does not depend on what he speaks",
    ),
    (
        "watchgate.indexing*",
        (
            *("watchgate.protocols", "watchgate.vault", "watchgate.identity"),
            *("watchgate.api", "watchgate.cli", "watchgate.app", "watchgate.siem"),
        ),
        "a recording is read for the index where there is nothing but it and its key",
    ),
    (
        "watchgate.emulation*",
        (
            *("watchgate.protocols", "watchgate.recording", "watchgate.catalog", "watchgate.vault"),
            *("watchgate.identity", "watchgate.session", "watchgate.policy", "watchgate.app"),
        ),
        "what a target prints is emulated where there is nothing but a terminal",
    ),
    (
        "watchgate.siem*",
        (
            *("watchgate.protocols", "watchgate.recording", "watchgate.vault"),
            *("watchgate.identity", "watchgate.api", "watchgate.cli", "watchgate.app"),
        ),
        "what leaves is a view of events, and knows nothing of where they came from",
    ),
    (
        "watchgate.reports*",
        ("watchgate.protocols", "watchgate.vault", "watchgate.api", "watchgate.cli"),
        "a report is made of what the catalog and the index say",
    ),
    (
        "watchgate.configuration*",
        ("watchgate.protocols", "watchgate.recording", "watchgate.api", "watchgate.cli"),
        "files say the same as the verbs of the command line",
    ),
]

# What makes a module wait, or lets it be called while another waits.
WAITING = (
    *("asyncio", "threading", "concurrent", "multiprocessing", "queue", "socket", "select"),
    *("selectors", "ssl", "subprocess", "time", "signal", "uvloop", "asyncssh"),
)
PURE = (
    *("watchgate.protocols.*.wire", "watchgate.protocols.*.dialogue"),
    *("watchgate.recording.format", "watchgate.session.events", "watchgate.session.model"),
    *("watchgate.terminal.echo", "watchgate.terminal.player", "watchgate.terminal.timeline"),
    *("watchgate.terminal.screen*", "watchgate.terminal.reading*", "watchgate.terminal.keyline"),
    *("watchgate.terminal.prompts", "watchgate.terminal.programs", "watchgate.terminal.findings"),
    *("watchgate.terminal.gate.*", "watchgate.terminal.live.*", "watchgate.terminal.integration.*"),
    *("watchgate.terminal.elevation.*", "watchgate.policy.*", "watchgate.session.deciding"),
    *("watchgate.protocols.ssh.judging", "watchgate.protocols.ssh.gated"),
    "watchgate.transfers.*",
)

# Who may know every part.
COMPOSERS = ("watchgate.app", "watchgate.cli*", "watchgate.demo*", "watchgate.initialize")
PARTS = ("watchgate.protocols", "watchgate.recording", "watchgate.catalog", "watchgate.vault")


def _below(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


@pytest.mark.parametrize("rule", FORBIDDEN, ids=lambda rule: rule[0])
def test_no_import_goes_against_the_arrows(rule: tuple[str, tuple[str, ...], str]) -> None:
    pattern, forbidden, why = rule
    wrong = [
        f"{module.where} imports {name}: {why}"
        for module in modules()
        if fnmatch.fnmatchcase(module.name, pattern)
        for name in sorted(module.imports())
        if any(_below(name, package) for package in forbidden)
    ]

    assert wrong == []


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.name)
def test_what_decides_imports_nothing_that_waits(module: Module) -> None:
    if not any(fnmatch.fnmatchcase(module.name, pattern) for pattern in PURE):
        return
    waiting = {name for name in module.imports() if any(_below(name, one) for one in WAITING)}

    assert waiting == set()


def test_only_the_composition_root_knows_every_part() -> None:
    knowing = {
        module.name
        for module in modules()
        if all(any(_below(name, part) for name in module.imports()) for part in PARTS)
    }
    others = {
        name
        for name in knowing
        if not any(fnmatch.fnmatchcase(name, pattern) for pattern in COMPOSERS)
    }

    assert others == set()


def test_the_patterns_of_the_rules_mean_something() -> None:
    names = [module.name for module in modules()]
    patterns = [rule[0] for rule in FORBIDDEN] + list(PURE)
    unused = [pattern for pattern in patterns if not fnmatch.filter(names, pattern)]

    # A protocol's wire is only there where we own the wire.
    assert [pattern for pattern in unused if not pattern.endswith(".wire")] == []
