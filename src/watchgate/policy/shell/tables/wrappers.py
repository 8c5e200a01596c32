"""Programs that run another one, which stands among their arguments."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Carries(StrEnum):
    """In what form a wrapper is given what it runs."""

    COMMAND = "command"
    """As arguments."""
    TEXT = "text"
    """As arguments that are joined and given to a shell: ssh, watch, eval."""


@dataclass(frozen=True, slots=True)
class Wrapper:
    """A program that runs another."""

    flags: str = ""
    """As in the tables of programs; they end at the first operand."""
    skip: int = 0
    """Operands before the command: timeout's duration, chroot's directory."""
    assignments: bool = False
    """`NAME=value` may stand before the command."""
    user: str | None = None
    """As whom it runs where nothing else is said."""
    user_flag: str = ""
    text_flag: str = ""
    """The flag whose value is a text for a shell: su's `-c`."""
    elsewhere: bool = False
    """On another machine, or in a file system of its own: paths and variables are others."""
    carries: Carries = Carries.COMMAND
    shells: frozenset[str] = frozenset()
    """Flags that start a shell where no command stands."""
    alone: bool = False
    """Without a command it starts a shell."""
    only_after: frozenset[str] = frozenset()
    """Its first operand has to be one of these, or it runs nothing that stands here: `docker exec`."""


_SHELL = frozenset({"login", "shell"})

WRAPPERS: dict[str, Wrapper] = {
    "sudo": Wrapper(
        "-u,--user= -g,--group= -h,--host= -p,--prompt= -C,--close-from= -r,--role= -t,--type= -T,--command-timeout= "
        "-R,--chroot= -D,--chdir= -U,--other-user= -A,--askpass -b,--background -B -E,--preserve-env=? -e,--edit -H,--set-home "
        "-i,--login -k,--reset-timestamp -K,--remove-timestamp -l,--list -n,--non-interactive -P -S,--stdin -s,--shell -v,--validate -V,--version -a= -c=",
        assignments=True,
        user="root",
        user_flag="user",
        shells=_SHELL,
    ),
    "doas": Wrapper(
        "user:-u= -C=@ -L -n shell:-s -a=", user="root", user_flag="user", shells=_SHELL
    ),
    "pkexec": Wrapper(
        "--user= --disable-internal-agent --keep-cwd", user="root", user_flag="user", alone=True
    ),
    "su": Wrapper(
        "-c,--command= -l,--login -s,--shell= -g,--group= -G,--supp-group= -m,-p,--preserve-environment -P,--pty -f,--fast -w= --session-command= -T",
        user="root",
        text_flag="command",
        alone=True,
    ),
    "runuser": Wrapper(
        "-u,--user= -c,--command= -l,--login -s,--shell= -g,--group= -G,--supp-group= -m,-p,--preserve-environment -P,--pty -f,--fast -w=",
        user="root",
        user_flag="user",
        text_flag="command",
        alone=True,
    ),
    "sg": Wrapper("text:-c=", skip=1, text_flag="text", carries=Carries.TEXT, alone=True),
    "newgrp": Wrapper("", skip=1, alone=True),
    "gosu": Wrapper("", skip=1),
    "su-exec": Wrapper("", skip=1),
    "chpst": Wrapper(
        "-u= -U= -b= -e=@ -/=@ -C=@ -n= -l=@ -L=@ -m= -d= -o= -p= -f= -c= -r= -t= -v -V -P -0 -1 -2"
    ),
    "setuidgid": Wrapper("", skip=1),
    "env": Wrapper(
        "-i,--ignore-environment -u,--unset= -C,--chdir=@ -S,--split-string= -0,--null -v,--debug --block-signal=? --default-signal=? --ignore-signal=?",
        assignments=True,
    ),
    "nohup": Wrapper(),
    "nice": Wrapper("-n,--adjustment= -1 -2 -3 -4 -5 -6 -7 -8 -9"),
    "ionice": Wrapper("-c,--class= -n,--classdata= -p,--pid= -P= -u= -t,--ignore"),
    "chrt": Wrapper(
        "-a -b,--batch -d,--deadline -f,--fifo -i,--idle -o,--other -r,--rr -R -m,--max -p,--pid -v -T= -P= -D=",
        skip=1,
    ),
    "taskset": Wrapper("-a,--all-tasks -c,--cpu-list -p,--pid", skip=1),
    "numactl": Wrapper(
        "-i,--interleave= -m,--membind= -N,--cpunodebind= -C,--physcpubind= -l,--localalloc -p,--preferred= -H,--hardware -s,--show -a"
    ),
    "setsid": Wrapper("-c,--ctty -f,--fork -w,--wait"),
    "timeout": Wrapper(
        "-k,--kill-after= -s,--signal= -v,--verbose --foreground --preserve-status", skip=1
    ),
    "time": Wrapper(
        "-f,--format= -o,--output=@ -a,--append -p,--portability -v,--verbose -q,--quiet"
    ),
    "stdbuf": Wrapper("-i,--input= -o,--output= -e,--error="),
    "unbuffer": Wrapper("-p"),
    "rlwrap": Wrapper(
        "-a=? -A=? -b= -c -C= -D= -e= -E= -f=@ -F= -g= -h -H=@ -i -I -l=@ -m=? -M= -n -N -o -O= -p=? -P= -q= -r -R -s= -S= -t= -T -u -U -v -w= -W= -z="
    ),
    "exec": Wrapper("-a= -c -l"),
    "command": Wrapper("-p"),
    "builtin": Wrapper(),
    "coproc": Wrapper(),
    "noglob": Wrapper(),
    "nocorrect": Wrapper(),
    "eval": Wrapper(carries=Carries.TEXT),
    "setarch": Wrapper("-R -B -F -I -L -S -T -X -Z -v --uname-2.6", skip=1),
    "linux32": Wrapper("-R -B -F -I -L -S -T -X -Z -v"),
    "linux64": Wrapper("-R -B -F -I -L -S -T -X -Z -v"),
    "catchsegv": Wrapper(),
    "fakeroot": Wrapper("-l= -s=@ -i=@ -u -b= --faked= --lib=", alone=True),
    "eatmydata": Wrapper(),
    "prlimit": Wrapper(
        "-p,--pid= -o= -v=? -c=? -d=? -e=? -f=? -i=? -l=? -m=? -n=? -q=? -r=? -s=? -t=? -u=? -x=? -y=? --nofile=? --nproc=? --core=? --as=?"
    ),
    "choom": Wrapper("-n,--adjust= -p,--pid="),
    "cgexec": Wrapper("-g= --sticky"),
    "chroot": Wrapper(
        "--userspec= --groups= --skip-chdir",
        skip=1,
        elsewhere=True,
        alone=True,
        user_flag="userspec",
    ),
    "nsenter": Wrapper(
        "-a,--all -t,--target= -m,--mount=? -u,--uts=? -i,--ipc=? -n,--net=? -p,--pid=? -C,--cgroup=? -U,--user=? -T,--time=? "
        "-S,--setuid= -G,--setgid= -r,--root=? -w,--wd=? -W,--wdns= -e,--env -F,--no-fork -Z,--follow-context",
        alone=True,
    ),
    "unshare": Wrapper(
        "-m,--mount=? -u,--uts=? -i,--ipc=? -n,--net=? -p,--pid=? -U,--user=? -C,--cgroup=? -T,--time=? -f,--fork -r,--map-root-user "
        "-c,--map-current-user -R,--root= -w,--wd= -S,--setuid= -G,--setgid= --mount-proc=? --kill-child=? --propagation= --map-user= --map-group= --map-auto --keep-caps",
        alone=True,
    ),
    "bwrap": Wrapper(
        "--bind= --ro-bind= --dev= --proc= --tmpfs= --unshare-all --share-net --die-with-parent --chdir="
    ),
    "firejail": Wrapper(
        "--noprofile --quiet --private=? --net=? --profile=? --name=? --join=?", alone=True
    ),
    "proot": Wrapper("-r= -b= -q= -w= -0 -S= -R= -k= -i= -v=", alone=True),
    "capsh": Wrapper("--user= --uid= --gid= --drop= --caps= --keep= --print"),
    "setpriv": Wrapper(
        "--reuid= --regid= --groups= --clear-groups --keep-groups --init-groups --ruid= --euid= --rgid= --egid= --inh-caps= "
        "--bounding-set= --ambient-caps= --securebits= --selinux-label= --apparmor-profile= --no-new-privs --reset-env --pdeathsig= -d,--dump",
        user_flag="reuid",
    ),
    "systemd-run": Wrapper(
        "-u,--unit= -p,--property= -M,--machine= -H,--host= -G,--collect -P,--pipe -t,--pty -q,--quiet -r,--remain-after-exit -S,--shell "
        "-d,--same-dir -E,--setenv= --user --system --scope --slice= --uid= --gid= --nice= --working-directory= --wait --no-block --description= "
        "--on-active= --on-boot= --on-startup= --on-unit-active= --on-unit-inactive= --on-calendar= --timer-property= --service-type= --send-sighup",
        user_flag="uid",
        shells=_SHELL,
    ),
    "systemd-inhibit": Wrapper("--what= --who= --why= --mode= --list --no-pager"),
    "systemd-nspawn": Wrapper(
        "-D,--directory= -i,--image= -M,--machine= -u,--user= -b,--boot -q -x --bind= --private-network",
        elsewhere=True,
        alone=True,
    ),
    "start-stop-daemon": Wrapper(
        "-S,--start -K,--stop -x,--exec= -a,--startas= -p,--pidfile= -n,--name= -u,--user= -c,--chuid= -b,--background -m -q -o -t -s= -R= -d= -r= -g= -k= -N= -C -v"
    ),
    "flock": Wrapper(
        "-c,--command= -s,--shared -x,-e,--exclusive -u,--unlock -n,--nonblock -w,--timeout= -o,--close -E,--conflict-exit-code= -F,--no-fork --verbose",
        skip=1,
        text_flag="command",
    ),
    "script": Wrapper(
        "-c,--command= -a,--append -e,--return -f,--flush -q,--quiet -t,--timing=? -T,--log-timing= -I,--log-in= -O,--log-out= -B,--log-io= -E,--echo= -m= -o= --force",
        text_flag="command",
        skip=99,
        alone=True,
    ),
    "strace": Wrapper(
        "-f -ff -c -C -d -i -k -n -q -r -t -tt -ttt -T -v -V -w -x -xx -y -yy -z -Z -D -a= -b= -e= -I= -o= -O= -p= -P= -s= -S= -u= -U= -E= -X= -A --trace= --follow-forks",
        user_flag="u",
    ),
    "ltrace": Wrapper(
        "-f -c -C -i -r -S -t -tt -T -L -a= -A= -D= -e= -l= -n= -o= -p= -s= -u= -w= -x= -F="
    ),
    "valgrind": Wrapper("-q -v --tool= --leak-check= --log-file= --trace-children="),
    "gdbserver": Wrapper("--once --multi --attach", skip=1),
    "perf": Wrapper(
        "-a -g -e= -p= -o= -F= -c= -C= -t= -- -d -r= -v",
        skip=1,
        only_after=frozenset({"record", "stat", "trace"}),
    ),
    "xargs": Wrapper(
        "-0,--null -a,--arg-file=@ -d,--delimiter= -E,-e,--eof=? replace-string:-I= -i,--replace=? -L,--max-lines= -l=? -n,--max-args= -o,--open-tty -P,--max-procs= -p,--interactive -r,--no-run-if-empty -s,--max-chars= -t,--verbose -x,--exit --process-slot-var= --show-limits"
    ),
    "parallel": Wrapper(
        "-j,--jobs= -k,--keep-order -n,--max-args= -N= -0,--null -a,--arg-file=@ -d,--delimiter= -I= -P,--max-procs= -S,--sshlogin= -v -t,--verbose -q,--quote -X -m -u,--ungroup "
        "--bar --dry-run --eta --halt= --joblog= --line-buffer --tag --timeout= --retries= --pipe --block= --colsep= -C= --will-cite --no-notice --sshloginfile= --workdir= --delay= --results= -L= --link --xapply --plain --eof=? -E= -r,--no-run-if-empty -M --env= --citation --semaphore --id= --tmpdir= --header= --trim= --shuf --load= --memfree= --nice=",
        carries=Carries.TEXT,
    ),
    "watch": Wrapper(
        "-n,--interval= -d,--differences=? -t,--no-title -b,--beep -e,--errexit -g,--chgexit -c,--color -x,--exec -p,--precise -q,--equexit= -w -r -C",
        carries=Carries.TEXT,
    ),
    "entr": Wrapper("-a -c -d -n -p -r -s -z"),
    "busybox": Wrapper("--list --list-full --install"),
    "toybox": Wrapper(""),
    "docker": Wrapper(
        "-H,--host= -c,--context= -D,--debug -l,--log-level= --config= --tls --tlscacert= --tlscert= --tlskey= --tlsverify",
        elsewhere=True,
    ),
    "kubectl": Wrapper(
        "-n,--namespace= --context= --kubeconfig= --cluster= --user= -s,--server= --token= --as= -v= --request-timeout=",
        elsewhere=True,
    ),
    "lxc": Wrapper("", elsewhere=True, only_after=frozenset({"exec"}), skip=2),
    "lxc-attach": Wrapper(
        "-n,--name= -e -a= -s= -L= --clear-env --keep-env -u= -g= -v= -P= -o= -l= -R",
        elsewhere=True,
        alone=True,
    ),
    "vagrant": Wrapper("", elsewhere=True, only_after=frozenset({"ssh"}), skip=1),
    "machinectl": Wrapper(
        "-M,--machine= -H= -q --uid= -E=",
        elsewhere=True,
        only_after=frozenset({"shell", "login"}),
        skip=2,
        alone=True,
    ),
    "distrobox": Wrapper("", elsewhere=True, only_after=frozenset({"enter"}), skip=2, alone=True),
    "toolbox": Wrapper(
        "-c,--container= -r,--release=",
        elsewhere=True,
        only_after=frozenset({"run", "enter"}),
        skip=1,
    ),
    "flatpak": Wrapper("", elsewhere=True, only_after=frozenset({"run"}), skip=2),
    "ssh": Wrapper(
        "-4 -6 -A -a -B= -b= -C -c= -D= -E= -e= -F= -f -G -g -I= -i= -J= -K -k -L= -l= -M -m= -N -n -O= -o= -P= -p= -Q= -q -R= -S= -s -T -t -V -v -W= -w= -X -x -Y -y",
        skip=1,
        carries=Carries.TEXT,
        elsewhere=True,
        user_flag="l",
    ),
    "rsh": Wrapper("-l= -n", skip=1, carries=Carries.TEXT, elsewhere=True, user_flag="l"),
    "mosh": Wrapper("--ssh= -p= -a -n --client= --server= --predict=", skip=1, elsewhere=True),
    "sshpass": Wrapper("-p= -f= -d= -e=? -P= -v"),
    "autossh": Wrapper(
        "-M= -f -4 -6 -A -C -D= -i= -J= -L= -N -n -o= -p= -q -R= -T -t -v -l=",
        skip=1,
        carries=Carries.TEXT,
        elsewhere=True,
    ),
    "torsocks": Wrapper("-u= -p= -a= -P= -i -d -q"),
    "proxychains": Wrapper("-q -f="),
    "proxychains4": Wrapper("-q -f="),
    "dbus-run-session": Wrapper("--config-file= --dbus-daemon="),
    "dbus-launch": Wrapper("--exit-with-session --sh-syntax --csh-syntax --auto-syntax"),
    "ssh-agent": Wrapper("-a= -c -D -d -k -s -t= -E= -O= -P="),
    "xvfb-run": Wrapper("-a -e= -f= -l -n= -p= -s= -w="),
    "dumb-init": Wrapper("-c -v -r= --single-child --rewrite="),
    "tini": Wrapper("-s -g -v -p= -e= -w"),
    "tsocks": Wrapper(),
    "cpulimit": Wrapper("-l= -p= -e= -P= -c= -b -f -i -k -m -q -r -s= -v -z --"),
    "chronic": Wrapper("-v -e"),
    "ts": Wrapper("-r -i -s -m"),
    "ip": Wrapper("-4 -6 -d -s -o -n= -b= -a -j", skip=3, only_after=frozenset({"netns"})),
}
