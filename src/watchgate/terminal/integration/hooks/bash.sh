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
__wg_has() {
[[ -v $1 && ! -R $1 ]]
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
shopt -s cmdhist promptvars
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
readonly -f __wg_has __wg_tell __wg_give __wg_line __wg_facts __wg_forget __wg_whole __wg_ask __wg_first __wg_keep
readonly -f __wg_prepare __wg_last __wg_edit __wg_bind __wg_set
__wg_set
if (( __wg_al == 0 )); then
shopt -s expand_aliases
fi
