# bash 4.0 to 4.3, which have no PS0. The DEBUG trap comes before each simple command; with extdebug its failure
# skips the command. The first one of a line tells the line and waits, and what is said holds for the others.
# A subshell asks for itself. What stands between the shell's hands and the trap is done unasked: the
# redirections of a compound command, and a compound command in the background does not run at all.
#   __wg_g  of the line: nothing is known yet, 1 it runs, 0 it does not, p the prompt's own commands
#           run, e they end
#   __wg_n  what becomes of the last line: 0 nothing, 1 it did not run, 2 its history entry goes,
#           3 the same, and entries stay from now on
#   __wg_hn  HISTCMD of the line that was told: with a new one, another line is run
#   __wg_hp  HISTCMD of the prompt
#   __wg_i  whether a line ran since the prompt's hook did
#   __wg_hc, __wg_hi, __wg_ho  the operator's HISTCONTROL and HISTIGNORE, and that he turned the history off
#   __wg_hs  with erasedups only blanks are put off, and HISTCONTROL says so
#   __wg_u  the operator's own DEBUG trap
__wg_has() {
[[ -n ${!1+x} ]]
}
__wg_front() {
# Whether this process may read the terminal.
local __wg_a __wg_b
[[ -r /proc/self/stat ]] || return 0
IFS= builtin read -r __wg_a </proc/self/stat
set -f
__wg_b=(${__wg_a##*) })
set +f
(( __wg_b[2] == __wg_b[5] ))
}
__wg_wait() {
# Tells the line and waits; its status says whether it runs. __wg_v is the verdict.
local IFS=$' \t\n' LC_ALL=C __wg_m= __wg_q= __wg_o= __wg_r=0
__wg_l= __wg_e=0
if [[ -n ${READLINE_LINE+x} ]]; then
__wg_l=$BASH_COMMAND
elif [[ -o history ]]; then
__wg_line
fi
if [[ -n $__wg_l ]]; then
__wg_give "t=$__wg_l"
if (( ${#__wg_m} > 48000 )); then
__wg_m=
__wg_give "t=${__wg_l:0:4096}"
__wg_give "c=${#__wg_l}"
fi
__wg_m+=$(__wg_m=; __wg_facts "$__wg_l"; builtin printf %s "$__wg_m")
fi
__wg_give "d=$PWD"
__wg_tell "L;q;$__wg_m"
# Here time is to be had: the verdict is under way.
__wg_f=0
case $__wg_ho$__wg_l in
1*-o*history*) __wg_f=3 ;;
1*) __wg_f=2 ;;
*)
if (( BASH_SUBSHELL == 0 )) && [[ -n $(__wg_forget && echo 1) ]]; then
__wg_f=2
fi ;;
esac
while :; do
if ! IFS= builtin read -rs -t @WAIT@ __wg_v </dev/tty; then
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
return $__wg_r
}
__wg_ask() {
# The first command of a line; sets __wg_g and __wg_n.
local __wg_v= __wg_l __wg_e
__wg_g=p
if ! __wg_front; then
__wg_g=0
builtin printf '\r\nwatchgate: this shell cannot ask about a compound command in the background: it did not run\r\n' >/dev/tty
return
fi
__wg_i=1
if [[ -n $__wg_hc ]]; then
HISTCONTROL=$__wg_hc
fi
if [[ -n $__wg_hi ]]; then
HISTIGNORE=$__wg_hi
fi
if ! __wg_wait 2>/dev/null; then
__wg_g=0 __wg_n=1
return
fi
__wg_n=0
case $__wg_v in
A.*)
export SUDO_PROMPT=$'\e]7717;@NONCE@;S;q;'"${__wg_v#A.}"$'\a'"${__wg_sp:-[sudo] password for %p: }"
__wg_tok=1 ;;
esac
__wg_n=$__wg_f
__wg_g=1
}
__wg_status() {
return $1
}
__wg_debug() {
# The DEBUG trap; $1 is the status before it.
if [[ -n ${COMP_LINE-} || $__wg_g == p ]]; then
return 0
fi
if [[ $BASH_COMMAND == __wg_first ]]; then
# A subshell asked, and was interrupted.
if [[ $__wg_g == e && $1 == 130 ]] && (( HISTCMD != __wg_hp )); then
__wg_n=1
fi
__wg_g=p
return 0
fi
if [[ $__wg_g == e ]]; then
if [[ ${FUNCNAME[1]-} == __wg_last ]]; then
return 0
fi
__wg_g=
fi
if (( BASH_SUBSHELL == 0 && HISTCMD != __wg_hn )) && [[ -z ${FUNCNAME[1]-} ]]; then
__wg_g=
fi
if [[ -z $__wg_g ]]; then
__wg_hn=$HISTCMD
__wg_ask
fi
if [[ $__wg_g == 1 ]]; then
if [[ -n $__wg_u ]]; then
__wg_g=p
__wg_status $1
eval "$__wg_u"
__wg_g=1
fi
return 0
fi
if (( BASH_SUBSHELL )); then
exit 130
fi
builtin kill -INT $$
return 1
}
__wg_first() {
# First in PROMPT_COMMAND: a line has ended.
__wg_st=$?
__wg_g=p
__wg_l= __wg_e= __wg_q=
unset -v COMP_LINE
if [[ $__wg_n != 0 ]]; then
__wg_line 2>/dev/null || :
if [[ -n $__wg_e ]]; then
builtin history -d "$__wg_e"
fi
if [[ $__wg_n == 3 ]]; then
__wg_ho=
fi
fi
__wg_n=0
trap - INT
if [[ $- == *e* ]]; then
return 0
fi
return $__wg_st
}
__wg_trap() {
# The trap as it is to be; another one, $1, is the operator's.
case $1 in
*__wg_debug*) return ;;
esac
if [[ -n $__wg_set ]]; then
__wg_tell "X;q;the\ DEBUG\ trap\ was\ changed"
fi
eval "set -- $1"
__wg_u=${3-}
trap '__wg_debug $?' DEBUG
}
__wg_last() {
# Last in PROMPT_COMMAND: the prompt follows.
__wg_m= __wg_q= __wg_b='\[\e]7717;@NONCE@;B;q;\a\]' __wg_c='\[\e]7717;@NONCE@;C;q;\a\]'
shopt -s cmdhist promptvars extdebug
__wg_keep
__wg_i=0
if (( __wg_tok )); then
unset -v SUDO_PROMPT
if [[ -n $__wg_sp ]]; then
export SUDO_PROMPT=$__wg_sp
fi
fi
__wg_tok=0
__wg_sp=${SUDO_PROMPT-}
__wg_trap "$(trap -p DEBUG)"
if [[ ${PS1-} != *"$__wg_b" ]]; then
PS1=${PS1-}$__wg_b
fi
if [[ ${PS2-} != *"$__wg_c" ]]; then
PS2=${PS2-}$__wg_c
fi
__wg_give "s=$__wg_st"
__wg_give "d=$PWD"
__wg_tell "D;q;$__wg_m"
__wg_hp=$HISTCMD
__wg_g=e
if [[ $- == *e* ]]; then
return 0
fi
return $__wg_st
}
__wg_set() {
# Sets the hooks; a second time changes nothing.
local __wg_l __wg_e __wg_f='__wg_first' __wg_b=$'\n__wg_last'
if shopt -q restricted_shell || [[ $- == *r* || ! -t 0 || ! -c /dev/null ]] || ! { : </dev/tty; } 2>/dev/null; then
builtin printf '\033]7717;@NONCE@;N;q;it\ is\ restricted,\ or\ has\ no\ terminal\a'
return
fi
__wg_g=p __wg_n=0 __wg_st=0 __wg_tok=0 __wg_i=1
__wg_ho=${__wg_ho-} __wg_hc= __wg_hi= __wg_hs= __wg_hn= __wg_hp= __wg_u= __wg_sp= __wg_set=
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
__wg_trap "$__wg_t"
__wg_set=1
builtin printf '\033]7717;@NONCE@;R;q;bash %q\a' "$BASH_VERSION" >/dev/tty
}
readonly -f __wg_has __wg_tell __wg_give __wg_line __wg_facts __wg_forget __wg_front __wg_wait __wg_ask __wg_status
readonly -f __wg_debug
readonly -f __wg_first __wg_keep __wg_trap __wg_last __wg_edit __wg_bind __wg_set
__wg_t=$(trap -p DEBUG)
shopt -s extdebug
__wg_set
if (( __wg_al == 0 )); then
shopt -s expand_aliases
fi
