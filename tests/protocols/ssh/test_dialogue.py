"""Channel dialogues, played from scripts."""

from __future__ import annotations

from pathlib import Path

import pytest
from playbook import Player, replay

from watchgate.protocols.ssh.effects import Answer
from watchgate.session.model import Capability

PLAYBOOKS = sorted(Path(__file__).with_name("playbooks").glob("*.txt"))


@pytest.mark.parametrize("path", PLAYBOOKS, ids=lambda path: path.stem)
def test_a_dialogue_plays_as_it_is_written(path: Path) -> None:
    script = path.read_text()

    assert replay(script) == script


@pytest.mark.parametrize("kind", ["exec", "shell", "subsystem", "pty-req", "env", "signal", "nope"])
@pytest.mark.parametrize("payload", [b"", b"\0", b"\xff\xff\xff\xff", b"\0\0\0\x05ab", b"\0" * 500])
def test_every_request_is_answered_once_however_malformed(kind: str, payload: bytes) -> None:
    player = Player()
    player.grant([str(capability) for capability in Capability])

    effects = player.dialogue.requested(kind, payload)

    answers = [effect for effect in effects if isinstance(effect, Answer)]
    asked = [effect for effect in effects if type(effect).__name__ == "Ask"]
    assert len(answers) + len(asked) == 1
