# bash 4.4 and later. PS0 is expanded when a complete line has been read and before any of it runs: a
# command substitution in it tells the line and waits. SIGINT, sent to the shell while it expands PS0,
# drops all of the line. The line is read from the history, so what keeps lines out of it is put off while
# a prompt stands, and done afterwards.
#   __wg_s  an array of one, to give arithmetic a place in an expansion that shows nothing
#   __wg_h  an empty map, to give strings one
#   __wg_d  the statuses of __wg_ask with which the line runs: with any other, the shell stops itself
#   __wg_n  what became of the last line: 0 it ran, 1 it did not, 2 it ran and its history entry goes,
#           3 the same, and entries stay from now on
#   __wg_i  lines since the prompt's hook ran; without one, the settings of the history are as that hook left them
#   __wg_hc, __wg_hi, __wg_ho  the operator's HISTCONTROL and HISTIGNORE, and that he turned the history off
#   __wg_hs  with erasedups only blanks are put off, and HISTCONTROL says so
#   __wg_p0, __wg_p1  PS0 as it was set here, and what the operator had in it
\shopt -q expand_aliases
__wg_al=$?
\shopt -u expand_aliases
__wg_tell() {
builtin printf '\033]7717;@NONCE@;%s\a' "$1" >/dev/tty
}
__wg_give() {
builtin printf -v __wg_q ' %q' "$1"
__wg_m+=$__wg_q
}
__wg_line() {
# The last entry of the history, and its number. Where its time cannot be switched off, it was just now.
local HISTTIMEFORMAT= __wg_x
__wg_l=$(builtin history 1)
[[ $__wg_l =~ ^\ *([0-9]+)[*\ ]\  ]] || return
__wg_e=${BASH_REMATCH[1]}
__wg_l=${__wg_l#"${BASH_REMATCH[0]}"}
[[ -z $HISTTIMEFORMAT ]] && return
builtin printf -v __wg_q '%(%s)T' -1
for __wg_x in 0 1 2 3 4 5; do
builtin printf -v __wg_x "%($HISTTIMEFORMAT)T" $(( __wg_q - __wg_x ))
if [[ $__wg_l == "$__wg_x"* ]]; then
__wg_l=${__wg_l#"$__wg_x"}
return
fi
done
return 1
}
__wg_facts() {
# Names in the line that are aliases or functions, what the aliases stand for, values of variables, and
# which file a program is that gains rights.
local __wg_w __wg_t=${1:0:4096} __wg_c=0 __wg_x __wg_a=
set -f
for __wg_x in 1 2 3; do
for __wg_w in ${__wg_t//[!a-zA-Z0-9_.:+-]/ }; do
case " $__wg_a " in *" $__wg_w "*) continue ;; esac
(( __wg_c++ < 96 )) || break 2
__wg_a+=" $__wg_w"
if [[ -n ${BASH_ALIASES[$__wg_w]+x} ]]; then
__wg_give "a=$__wg_w=${BASH_ALIASES[$__wg_w]:0:1024}"
__wg_t+=" ${BASH_ALIASES[$__wg_w]:0:1024}"
elif builtin declare -F -- "$__wg_w" >/dev/null; then
__wg_give "f=$__wg_w"
else
case $__wg_w in
sudo|su|doas|pkexec) __wg_q=$(builtin type -P -- "$__wg_w") && __wg_give "r=$__wg_w=$__wg_q" ;;
esac
fi
done
done
__wg_c=0
while (( __wg_c++ < 32 )) && [[ $__wg_t =~ \$\{?[#!]?([a-zA-Z_][a-zA-Z0-9_]*) ]]; do
__wg_w=${BASH_REMATCH[1]}
__wg_t=${__wg_t#*"${BASH_REMATCH[0]}"}
case $__wg_w in
_|IFS|LC_ALL|*RANDOM|SECONDS|EPOCH*|LINENO|HIST*|BASH*|FUNCNAME|PIPESTATUS|__wg_*) continue ;;
esac
if [[ -v $__wg_w && ! -R $__wg_w ]]; then
__wg_x=${!__wg_w}
(( ${#__wg_x} < 1024 )) && __wg_give "v=$__wg_w=$__wg_x"
fi
done
}
__wg_forget() {
# Whether the operator's own settings would have kept the line out of the history.
local __wg_p IFS=:
case :$__wg_hc: in
*:ignorespace:*|*:ignoreboth:*) [[ $__wg_l == ' '* ]] && return ;;
esac
case :$__wg_hc: in
*:ignoredups:*|*:ignoreboth:*)
builtin printf -v __wg_p '%5d  %s\n%5d  %s' $((__wg_e - 1)) "$__wg_l" "$__wg_e" "$__wg_l"
[[ $(HISTTIMEFORMAT= builtin history 2) == "$__wg_p" ]] && return ;;
esac
set -f
for __wg_p in $__wg_hi; do
case $__wg_p in
'&') ;;
*) [[ $__wg_l == $__wg_p ]] && return ;;
esac
done
return 1
}
__wg_whole() {
# Whether the hooks are as they were set, and what they use is the shell's own.
local __wg_w
for __wg_w in builtin declare local return trap unset shopt export eval; do
if typeset -F "$__wg_w" >/dev/null; then
return 1
fi
done
[[ $PS0 == "$__wg_p0" && ${PROMPT_COMMAND[*]} == *__wg_first*__wg_last* && -o history ]]
}
__wg_ask() {
# Runs in PS0's substitution, a copy of the shell. It speaks on the terminal; what it prints to its output
# becomes SUDO_PROMPT, its status __wg_n.
POSIXLY_CORRECT=1
\unset -f typeset
__wg_whole
__wg_y=$?
\unset -f builtin unset set trap local exec kill printf read history type declare return shopt export eval
set +euvx +o posix
unset -v POSIXLY_CORRECT
trap - DEBUG ERR RETURN EXIT
local IFS=$' \t\n' LC_ALL=C __wg_l= __wg_e=0 __wg_m= __wg_q= __wg_v= __wg_r=0 __wg_o=
exec </dev/tty 2>/dev/null
if (( __wg_y == 0 )) && __wg_line; then
__wg_give "t=$__wg_l"
if (( ${#__wg_m} > 48000 )); then
__wg_m=
__wg_give "t=${__wg_l:0:4096}"
__wg_give "c=${#__wg_l}"
fi
__wg_facts "$__wg_l"
fi
__wg_give "d=$PWD"
(( __wg_i > 1 )) && __wg_give o=
__wg_tell "L;q;$__wg_m"
# Here time is to be had: the verdict is under way.
__wg_f=0
case $__wg_ho$__wg_l in
1*-o*history*) __wg_f=3 ;;
1*) __wg_f=2 ;;
*) __wg_forget && __wg_f=2 ;;
esac
while :; do
if ! IFS= builtin read -rs -t @WAIT@ __wg_v; then
__wg_r=1
break
fi
case $__wg_v in
*" : 7717.@NONCE@."*)
__wg_o+=${__wg_v%%" : 7717.@NONCE@."*}
__wg_v=${__wg_v#*" : 7717.@NONCE@."}
case $__wg_v in A*) ;; W*) continue ;; *) __wg_r=1 ;; esac
break ;;
esac
__wg_o+=$__wg_v$'\n'
(( ${#__wg_o} > 16384 )) && { __wg_r=1; break; }
done
if [[ -n $__wg_o ]]; then
__wg_m=
__wg_give "$__wg_o"
__wg_tell "T;q;$__wg_m"
fi
__wg_tell "K;q;"
if (( __wg_r )); then
[[ -z $(builtin trap -p INT) ]] || builtin kill -KILL $$
return 1
fi
case $__wg_v in
A.*) builtin printf '\033]7717;@NONCE@;S;q;%s\a%s' "${__wg_v#A.}" "${__wg_sp:-[sudo] password for %p: }" ;;
*) builtin printf %s "$__wg_sp" ;;
esac
return $__wg_f
}
__wg_first() {
# First in PROMPT_COMMAND: a line has ended.
__wg_st=$?
__wg_l= __wg_e= __wg_q=
case $__wg_n in
1|2|3)
__wg_line 2>/dev/null || :
if [[ -n $__wg_e ]]; then
builtin history -d "$__wg_e"
fi
if [[ $__wg_n == 3 ]]; then
__wg_ho=
fi ;;
esac
__wg_n=0
trap - INT
if [[ $- == *e* ]]; then
return 0
fi
return $__wg_st
}
__wg_keep() {
# Let every line be kept by the history while the prompt stands.
if [[ ! -o history && $__wg_ho != off ]]; then
__wg_ho=off
__wg_tell "X;q;the\ history\ was\ turned\ off"
fi
if [[ ${HISTSIZE-1} == 0 ]]; then
HISTSIZE=1 __wg_ho=1
fi
shopt -s cmdhist promptvars
if (( __wg_i > 0 )); then
__wg_hc= __wg_hi=
if [[ -n ${HISTCONTROL-} ]]; then
case :$HISTCONTROL: in
*:erasedups:*)
case :$HISTCONTROL: in
*:ignorespace:*|*:ignoreboth:*)
__wg_hs=ignorespace
HISTCONTROL=ignoredups:erasedups ;;
:ignoredups:erasedups:) ;;
*) __wg_hs= ;;
esac
__wg_hc=$__wg_hs ;;
*) __wg_hc=$HISTCONTROL HISTCONTROL= ;;
esac
fi
if [[ -n ${HISTIGNORE-} ]]; then
__wg_hi=$HISTIGNORE HISTIGNORE=
fi
fi
}
__wg_prepare() {
# What PS0 is until the next prompt.
__wg_x='${__wg_s[0*(__wg_i+=1)]}${__wg_h[x${__wg_o:=$({ __wg_ask; } 2>/dev/null)}]-}${__wg_d[__wg_n=$?]-$({ POSIXLY_CORRECT=1; \\unset -f builtin kill; builtin kill -INT $$; } 2>/dev/null)}${__wg_o:+${__wg_h[x${SUDO_PROMPT:=$__wg_o}]-}}'
if [[ ${PS0-} != "$__wg_p0" ]]; then
if [[ -n $__wg_p0 ]]; then
__wg_tell "X;q;PS0\ was\ changed"
fi
__wg_p1=${PS0-}
fi
if [[ -n $__wg_hc && -z ${HISTCONTROL-} ]]; then
__wg_x+='${__wg_h[x${HISTCONTROL:=$__wg_hc}]-}'
fi
if [[ -n $__wg_hi ]]; then
__wg_x+='${__wg_h[x${HISTIGNORE:=$__wg_hi}]-}'
fi
__wg_p0=$__wg_x$__wg_p1
PS0=$__wg_p0
}
__wg_last() {
# Last in PROMPT_COMMAND: the prompt follows.
__wg_m= __wg_q= __wg_b='\[\e]7717;@NONCE@;B;q;\a\]' __wg_c='\[\e]7717;@NONCE@;C;q;\a\]'
__wg_keep
__wg_i=0
__wg_prepare
if [[ -n $__wg_o ]]; then
unset -v SUDO_PROMPT
if [[ -n $__wg_sp ]]; then
export SUDO_PROMPT=$__wg_sp
fi
fi
__wg_o=
__wg_sp=${SUDO_PROMPT-}
declare -gx SUDO_PROMPT
if [[ -n $__wg_sp ]]; then
unset -v SUDO_PROMPT
declare -gx SUDO_PROMPT
fi
if [[ ${PS1-} != *"$__wg_b" ]]; then
PS1=${PS1-}$__wg_b
fi
if [[ ${PS2-} != *"$__wg_c" ]]; then
PS2=${PS2-}$__wg_c
fi
__wg_give "s=$__wg_st"
__wg_give "d=$PWD"
__wg_tell "D;q;$__wg_m"
if [[ $- == *e* ]]; then
return 0
fi
return $__wg_st
}
__wg_edit() {
# What edit-and-execute-command does, but the text comes back to the line: it would run unasked.
local __wg_f
__wg_f=$(umask 077; mktemp "${TMPDIR:-/tmp}/bash-fc.XXXXXX") || return
builtin printf '%s\n' "$READLINE_LINE" >|"$__wg_f"
eval "${VISUAL:-${EDITOR:-vi}}" '"$__wg_f"' </dev/tty >/dev/tty
READLINE_LINE=$(<"$__wg_f")
READLINE_POINT=${#READLINE_LINE}
command rm -f -- "$__wg_f"
}
__wg_bind() {
local __wg_k __wg_q
for __wg_k in emacs-standard emacs-meta emacs-ctlx vi-command vi-insert; do
while IFS= builtin read -r __wg_q; do
case $__wg_q in
*': edit-and-execute-command'|*': vi-edit-and-execute-command') builtin bind -m $__wg_k -x "${__wg_q%%: *}: __wg_edit" ;;
esac
done < <(builtin bind -m $__wg_k -p)
done
}
__wg_set() {
# Sets the hooks; a second time changes nothing.
local __wg_l __wg_e __wg_f='__wg_first' __wg_b=$'\n__wg_last'
if shopt -q restricted_shell || [[ $- == *r* || ! -t 0 || ! -c /dev/null ]] || ! { : </dev/tty; } 2>/dev/null; then
builtin printf '\033]7717;@NONCE@;N;q;it\ is\ restricted,\ or\ has\ no\ terminal\a'
return
fi
__wg_s=('') __wg_d=([0]= [2]= [3]=) __wg_n=0 __wg_i=1 __wg_o= __wg_st=0
__wg_ho=${__wg_ho-} __wg_hc= __wg_hi= __wg_hs= __wg_p0=${__wg_p0-} __wg_p1=${__wg_p1-} __wg_sp=
unset -v __wg_h
declare -gA __wg_h=()
if [[ -o history ]]; then
__wg_line 2>/dev/null
if [[ $__wg_l == *7717*@NONCE@* ]]; then
builtin history -d "$__wg_e"
fi
else
set -o history
__wg_ho=1
fi
if [[ ${PROMPT_COMMAND[*]-} != *__wg_first*__wg_last* ]]; then
if [[ $(declare -p PROMPT_COMMAND 2>/dev/null) == 'declare -a'* ]] && (( BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 501 )); then
PROMPT_COMMAND=(__wg_first "${PROMPT_COMMAND[@]}" __wg_last)
elif [[ ${PROMPT_COMMAND-} == *__bp_interactive_mode* ]]; then
PROMPT_COMMAND=$__wg_f$'\n'${PROMPT_COMMAND/__bp_interactive_mode/__wg_last$'\n'__bp_interactive_mode}
else
PROMPT_COMMAND=$__wg_f$'\n'${PROMPT_COMMAND-}$__wg_b
fi
fi
__wg_bind 2>/dev/null
builtin printf '\033]7717;@NONCE@;R;q;bash %q\a' "$BASH_VERSION" >/dev/tty
}
readonly -f __wg_tell __wg_give __wg_line __wg_facts __wg_forget __wg_whole __wg_ask __wg_first __wg_keep
readonly -f __wg_prepare __wg_last __wg_edit __wg_bind __wg_set
__wg_set
if (( __wg_al == 0 )); then
shopt -s expand_aliases
fi
