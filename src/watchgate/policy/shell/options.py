"""Options of ordinary programs that make them run another one: `tar --to-command`, `ssh -o ProxyCommand`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from watchgate.policy.reading import Reason
from watchgate.policy.shell.calls import Call
from watchgate.policy.shell.flags import Split

if TYPE_CHECKING:
    from watchgate.policy.shell.reader import Reader

_SSH = re.compile(
    r"(?i)\s*(?:ProxyCommand|LocalCommand|KnownHostsCommand|RemoteCommand|PKCS11Provider|"
    r"SecurityKeyProvider|ProxyUseFdpass)[\s=]+(.*)",
    re.DOTALL,
)
_GIT = re.compile(
    r"(?i)(?:core\.(?:pager|editor|sshcommand|fsmonitor|hookspath|gitproxy|askpass)|sequence\.editor|"
    r"alias\.[\w-]+|pager\.[\w-]+|diff\.external|.*\.(?:cmd|command|textconv|process|clean|smudge|helper|program))=!?(.*)",
    re.DOTALL,
)
_CHECKPOINT = re.compile(r"exec=(.*)", re.DOTALL)

_WHOLE = re.compile(r"(.*)", re.DOTALL)
GIVEN: dict[str, dict[str, re.Pattern[str]]] = {
    "tar": {
        "to-command": _WHOLE,
        "use-compress-program": _WHOLE,
        "checkpoint-action": _CHECKPOINT,
        "rmt-command": _WHOLE,
        "rsh-command": _WHOLE,
        "info-script": _WHOLE,
    },
    "cpio": {"rsh-command": _WHOLE},
    "zip": {"unzip-command": _WHOLE},
    "rsync": {"rsh": _WHOLE, "rsync-path": _WHOLE},
    "git": {"c": _GIT, "upload-pack": _WHOLE, "receive-pack": _WHOLE, "exec": _WHOLE},
    "ssh": {"o": _SSH, "I": _WHOLE},
    "scp": {"o": _SSH, "S": _WHOLE, "D": _WHOLE},
    "sftp": {"o": _SSH, "S": _WHOLE, "D": _WHOLE},
    "sort": {"compress-program": _WHOLE},
    "split": {"filter": _WHOLE},
    "tcpdump": {"z": _WHOLE},
    "nc": {"exec": _WHOLE, "sh-exec": _WHOLE, "lua-exec": _WHOLE},
    "nmap": {"script": _WHOLE},
    "wget": {"use-askpass": _WHOLE},
}
for _same, _as in {"bsdtar": "tar", "gtar": "tar", "ncat": "nc", "netcat": "nc"}.items():
    GIVEN[_same] = GIVEN[_as]

_OPAQUE_ALWAYS = {("nmap", "script"), ("nc", "lua-exec"), ("ssh", "I"), ("scp", "D"), ("sftp", "D")}


def runs_by_option(reader: Reader, call: Call) -> str | None:
    """A program with such options."""
    given_programs(reader, call, reader.record(call))
    return None


def given_programs(reader: Reader, call: Call, done: Split) -> None:
    """Read the programs that options of *call* give."""
    if "server" in done.flags:
        return  # What `rsync` runs on the other side: there `-e` is no program.
    for name, form in GIVEN[call.name].items():
        for value in done.values.get(name, ()):
            found = form.fullmatch(value.text)
            if found is None:
                continue
            if not value.plain or (call.name, name) in _OPAQUE_ALWAYS:
                reader.opaque(Reason.OPTION, call.raw, call.name)
            else:
                around = call.around.within(call.name)
                reader.text(found[1], call.child.child("sh"), around)
