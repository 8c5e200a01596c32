"""Programs behind which more can happen than their command line says.

Our own list, from manual pages: which ones let an operator start a shell, go to another session, run what
nobody sees here. It cannot be complete (any program that is not known may be one), and a rule that must
hold whatever runs is a list of what may (`action: force`).
"""

from __future__ import annotations

from watchgate.policy.shell.known import names, pairs

ESCAPES = names(
    "vi vim nvim view rvi rvim rview gvim vimdiff vimtutor ex ed red emacs emacsclient nano pico rnano joe "
    "jed jmacs mcedit mc micro helix hx kak ne zile less more most pg man info w3m lynx links elinks ranger vifm "
    "nnn lf ncdu gdb lldb cgdb visudo vipw vigr sudoedit tig mutt neomutt alpine mail mailx "
    "ftp lftp ncftp sftp nmtui cfdisk aptitude dselect iftop atop slsh ddd "
    "irssi weechat pine zless bzless xzless perldoc pydoc"
)
"""Editors, pagers, debuggers and others with a key or a command that starts a shell."""

ELSEWHERE = names(
    "tmux screen byobu zellij abduco dtach telnet rlogin slogin minicom picocom cu tip kermit "
    "mosh-client wscat websocat conspy et rsh"
)
"""The session goes on where the gateway does not read."""

LATER = names("at batch crontab anacron fcron fcrontab incrontab atd")

LANGUAGES: dict[str, str] = pairs(
    "python=c pypy=c ipython=c bpython=c perl=eE ruby=e irb=e node=ep nodejs=ep deno= "
    "bun=ep php=rBRE lua=e luajit=e tclsh= wish= expect=c R=e Rscript=e julia=eE "
    "ghci=e runghc= groovy=e scala=e jshell= guile=c racket=e sbcl= clisp=x ocaml=e "
    "erl= iex=e elixir=e gawk-shell= pwsh=c powershell=c osascript=e octave= maxima= "
    "sage=c bc=e dc=e psql=c mysql=e mariadb=e sqlite3= sqlite= mongo= mongosh= "
    "redis-cli= sqlplus= isql= cqlsh=e clickhouse-client=q influx=e ldapmodify= "
    "nsupdate= gnuplot=e m4=D crash= jdb= pry=e python2=c python3=c perl5=eE zx= tcl= "
    "duckdb=c rlua=e"
)
"""Interpreters of other languages, databases' among them."""

LANGUAGE_FLAGS = frozenset(
    {"--eval", "--execute", "--command", "--print", "--run", "-Command", "-EncodedCommand"}
)

SCRIPTED = names(
    "make gmake bmake ninja npm npx yarn pnpm rake gradle mvn ant tox invoke fab ansible-playbook ansible "
    "puppet chef-client salt-call run-parts just task dpkg-reconfigure cargo-run"
)
"""They run what files say."""

SAYING = frozenset({"--version", "--help", "-V", "-h", "-?", "--usage"})
"""Arguments with which any program only says something."""
