"""Which program a shell's command starts, as far as its name tells what the lines typed next are."""

from __future__ import annotations

import re


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ASSIGNMENT = re.compile(r"^[A-Za-z_]\w*\+?=")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_BETWEEN = re.compile(r"[\s;|&]")
_CUT = re.compile(r"\|\||&&|[;|&\n]")
_WRAPPERS = _names(
    """
    sudo doas env nohup nice ionice time timeout stdbuf setsid exec command builtin chroot strace ltrace
    watch
    """
)
_VALUED = _names(
    """
    -u -g -n -C -h -p -s -U
    """
)
_SHELLS = _names(
    """
    sh bash zsh fish dash ash ksh mksh tcsh csh busybox pwsh su login newgrp sg runuser machinectl ssh
    mosh telnet rlogin screen tmux zellij byobu docker podman kubectl oc lxc incus nsenter unshare
    chroot script vagrant toolbox distrobox nix-shell virtualenv poetry pipenv conda
    """
)
_PROMPT_SETTING = _names(
    """
    cd pushd popd export set source . alias unset eval PS1 PROMPT declare typeset conda workon
    deactivate git activate prompt hostname hostnamectl
    """
)
_MULTIPLEXERS = _names(
    """
    tmux screen zellij byobu
    """
)
_TAKES_KEYS = _names(
    """
    vi vim nvim view vimdiff ex nano pico emacs joe micro ed mcedit less more most man pager top htop
    atop btop mc nmtui watch tig lazygit k9s ranger nnn ncdu mutt python python2 python3 ipython psql
    mysql mariadb sqlite3 redis-cli mongosh gdb lldb sftp ftp lftp irb ghci lua node php R openssl virsh
    bc dc cat tee passwd
    """
)


def started_by(command: str) -> str | None:
    """The name of the program that *command* leaves in front: the last one of a list or pipeline."""
    whole = _QUOTED.sub(lambda quoted: _BETWEEN.sub("_", quoted[0]), command[:4096])
    pieces = [piece for piece in _CUT.split(whole) if piece.strip()]
    words = pieces[-1].split() if pieces else []
    name = None
    while words:
        word = words.pop(0)
        if _ASSIGNMENT.match(word):
            continue
        name = word.strip("\"'(){}\\").rpartition("/")[2]
        if name not in _WRAPPERS:
            break
        while words and words[0].startswith("-"):
            option = words.pop(0)
            if option in ("-i", "-s", "--login", "--shell") and not words:
                return "su"
            if option in _VALUED and words:
                words.pop(0)
    return name or None


def starts_shell(program: str | None, command: str = "") -> bool:
    """Whether *program* gives its user a shell: lines behind a prompt that was never seen may be commands."""
    return program in _SHELLS or (program in _WRAPPERS and bool(command))


def takes_keys(program: str | None) -> bool:
    """Whether what is typed after *program* was started is known to be meant for it."""
    return program in _TAKES_KEYS


def changes_prompt(command: str) -> bool:
    """Whether after *command* the same shell may show another prompt."""
    words = command.split(maxsplit=1)
    first = words[0].partition("=")[0] if words else ""
    return first in _PROMPT_SETTING or "PS1=" in command or "PROMPT" in command


def multiplexes(program: str | None) -> bool:
    """Whether *program* shows shells on a screen of its own."""
    return program in _MULTIPLEXERS
