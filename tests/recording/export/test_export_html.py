"""The page that plays a session: what stands in it, what cannot run in it, and what a browser shows."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import subprocess
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from export_tapes import STARTED, Tape, exported

from watchgate.recording.export import FORMATS, Description
from watchgate.recording.export.html import MOST_HAPPENINGS
from watchgate.session.events import FileMoved

HOSTILE = b"</script><script>document.title='broken'</script>\xff\xe2\x80\xae\x1b]0;x\x07"


def page(tape: Tape, channel: int | None = None) -> str:
    (octets,) = exported("html", tape, channel)
    return octets.decode()


def shell_session() -> Tape:
    """A shell in which `ls` and then something hostile was shown."""
    tape = Tape().shell(0).out(100, b"$ ")
    tape.typed(2000, b"l").out(2001, b"l").typed(2100, b"s").out(2101, b"s")
    tape.typed(2200, b"\r").out(2201, b"\r\nbin  etc\r\n$ ").out(9000, HOSTILE)
    return tape.closed(10_000, 0)


def data(text: str, name: str) -> Any:
    found = re.search(rf'<script type="application/json" id="{name}">(.*?)</script>', text)
    assert found is not None
    return json.loads(found[1])


def blocks(text: str, kind: str) -> list[Any]:
    packed = re.findall(rf'<script type="text/plain" class="{kind}"[^>]*>(.*?)</script>', text)
    return [json.loads(zlib.decompress(base64.b64decode(one), -15)) for one in packed]


def test_the_page_has_pictures_commands_and_text() -> None:
    text = page(shell_session())
    (chunk,) = blocks(text, "pictures")
    shown = [
        line for block in blocks(text, "text") for _, lines in block for line in lines.split("\n")
    ]

    assert chunk["size"] == [100, 30]
    assert data(text, "commands") == [{"t": 2201, "text": "ls", "confidence": "inferred"}]
    assert "bin  etc" in shown
    assert data(text, "about") == {"origin": 0, "started": STARTED // 1000, "duration": 10_000}


def test_the_policy_names_exactly_the_script_and_the_style_that_are_there() -> None:
    text = page(shell_session())
    policy = html.unescape(re.search(r'Security-Policy" content="([^"]*)"', text)[1])  # type: ignore[index]
    executed = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    styles = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    digests = [
        "sha256-" + base64.b64encode(hashlib.sha256(one.encode()).digest()).decode()
        for one in (*executed, *styles)
    ]

    assert len(executed) == len(styles) == 1
    assert policy.startswith("default-src 'none'; ")
    assert f"script-src '{digests[0]}'; style-src '{digests[1]}'" in policy
    assert not re.search(r"""(?:src|href|action)=["']""", text)


def test_what_a_session_holds_ends_no_element() -> None:
    tape = Tape().exec(0, HOSTILE.decode("utf-8", "surrogateescape"))
    tape.event(10, FileMoved(1, "scp", "upload", "<img src=x onerror=alert(1)>", 3, None, True))
    (octets,) = exported("html", tape.out(20, HOSTILE).closed(30, 0))
    text = octets.decode()
    commands = data(text, "commands")

    assert text.count("<script>") == 1
    assert "<img" not in text
    assert "</script>" in commands[0]["text"]
    assert "\u202e" not in text


def test_what_happened_stands_in_the_page_without_its_script_up_to_a_bound() -> None:
    tape = Tape().shell(0)
    for number in range(MOST_HAPPENINGS + 5):
        tape.event(number, FileMoved(1, "sftp", "upload", f"/f{number}", 1, None, True))
    text = page(tape)

    assert "file: upload /f0 (1 octets)" in text
    assert f"/f{MOST_HAPPENINGS + 4}" not in text
    assert "6 more are in the recording." in text


def test_what_is_known_of_the_session_is_in_its_head() -> None:
    tape = shell_session()
    out = BytesIO()
    about = Description("<b>", STARTED, {"operator": "alice <x>"})
    FORMATS["html"].export(tape, about, (out,))
    text = out.getvalue().decode()

    assert "<h1>&lt;b&gt;</h1>" in text
    assert "<dt>operator</dt><dd>alice &lt;x&gt;</dd>" in text


@pytest.mark.real
def test_a_browser_shows_the_moment_that_the_link_names(
    tmp_path: Path, program: Callable[[str], str]
) -> None:
    dom = rendered(page(shell_session()), tmp_path, "#t=5&q=etc", program("chromium"))

    assert 'data-ready="yes"' in dom
    assert "broken" not in re.findall(r"<title>(.*?)</title>", dom)[0]
    assert re.search(r'<span style="width: 8ch;">bin  etc</span>', dom)
    assert "document.title" not in screen(dom)
    assert "0 commands, 1 line" in dom
    assert "bin  <mark>etc</mark>" in dom


@pytest.mark.real
def test_a_browser_shows_hostile_output_as_the_text_that_it_is(
    tmp_path: Path, program: Callable[[str], str]
) -> None:
    dom = rendered(page(shell_session()), tmp_path, "#t=9.5", program("chromium"))

    assert "document.title='broken'" in html.unescape(screen(dom))
    assert re.findall(r"<title>(.*?)</title>", dom) == ["alice as root on web1"]


def screen(dom: str) -> str:
    found = re.search(r'<pre id="screen">(.*?)</pre>', dom, re.DOTALL)
    assert found is not None
    return re.sub(r"<[^>]*>", "", found[1])


def rendered(text: str, directory: Path, place: str, browser: str) -> str:
    """The page as Chromium has it once its script has run."""
    file = directory / "session.html"
    file.write_text(text)
    done = subprocess.run(
        [
            browser,
            *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
            *("--no-first-run", f"--user-data-dir={directory / 'profile'}"),
            *("--virtual-time-budget=5000", "--dump-dom", f"{file.as_uri()}{place}"),
        ],
        capture_output=True,
        timeout=60,
        check=True,
    )
    return done.stdout.decode()
