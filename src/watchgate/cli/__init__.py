"""The `watchgate` command: `watchgate NOUN VERB`, one file per noun."""

from __future__ import annotations


def main() -> None:
    """What the installed command runs."""
    from watchgate.cli.application import run

    run()
