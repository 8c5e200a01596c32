# zsh 5 and later. zshaddhistory is called with each complete line before it runs, and says whether it
# stays in the history: it tells the line and waits. preexec is called when it is about to run; SIGINT there
# drops all of the line. Should the shell run something else than was told (or keep no history at all),
# preexec asks once more. Every hook sets the others again that are gone.
#   __wg_d  this line does not run
#   __wg_k  what was permitted: the line as zsh writes it after parsing, without blanks
#   __wg_i  lines since the prompt's hook ran
\typeset -g __wg_al=0
[[ -o aliases ]] && __wg_al=1
\unsetopt aliases
typeset -g __wg_d=0 __wg_k= __wg_i=0 __wg_st=0 __wg_sp=
typeset -ga __wg_m
__wg_tell() {
builtin print -rn -- $'\e]7717;@NONCE@;'"$1;q;${(j: :)${(@qqqq)@[2,-1]}}"$'\a' >/dev/tty
}
__wg_parsed() {
# With the operator's own options: sets __wg_x to the line with aliases expanded.
functions[__wg_body]=$1 && __wg_x=$functions[__wg_body]
unset 'functions[__wg_body]'
}
__wg_plain() {
# The text of a function gives octets as zsh keeps them inside: 0x83 before what it changed.
local __wg_y=$__wg_x __wg_z
__wg_x=
while [[ $__wg_y == *$'\x83'* ]]; do
__wg_x+=${__wg_y%%$'\x83'*}
__wg_y=${__wg_y#*$'\x83'}
__wg_z=$__wg_y[1]
__wg_x+=${(#):-$(( #__wg_z ^ 32 ))}
__wg_y=${__wg_y[2,-1]}
done
__wg_x+=$__wg_y
}
__wg_facts() {
# Names in the line that are aliases or functions, what the aliases stand for, values of variables, and
# which file a program is that gains rights.
local __wg_t=${1[1,4096]} __wg_w __wg_v
local -A __wg_seen
local -i __wg_c=0 __wg_r MBEGIN MEND
local -a match mbegin mend
for __wg_r in 1 2 3; do
for __wg_w in ${=__wg_t//[^a-zA-Z0-9_.:+-]/ }; do
[[ -n ${__wg_seen[$__wg_w]-} ]] && continue
(( __wg_c++ < 96 )) || break 2
__wg_seen[$__wg_w]=1
if (( ${+aliases[$__wg_w]} || ${+galiases[$__wg_w]} )); then
__wg_v=${aliases[$__wg_w]-${galiases[$__wg_w]-}}
__wg_m+=("a=$__wg_w=${__wg_v[1,1024]}")
__wg_t+=" ${__wg_v[1,1024]}"
elif (( ${+functions[$__wg_w]} )); then
__wg_m+=("f=$__wg_w")
elif [[ $__wg_w == (sudo|su|doas|pkexec) ]]; then
__wg_v=$(builtin whence -p -- $__wg_w) && __wg_m+=("r=$__wg_w=$__wg_v")
fi
done
done
__wg_c=0
while (( __wg_c++ < 32 )) && [[ $__wg_t =~ '\$\{?[#!]?([a-zA-Z_][a-zA-Z0-9_]*)' ]]; do
__wg_w=$match[1] __wg_t=${__wg_t[MEND+1,-1]}
[[ $__wg_w == (_|IFS|LC_ALL|*RANDOM|SECONDS|EPOCH*|LINENO|HIST*|history|MATCH|MBEGIN|MEND|match|mbegin|mend|__wg_*) ]] && continue
[[ ${(tP)__wg_w} == (scalar|integer|float)* ]] || continue
__wg_v=${(P)__wg_w}
(( $#__wg_v < 1024 )) && __wg_m+=("v=$__wg_w=$__wg_v")
done
return 0
}
__wg_wait() {
# Tells what stands in __wg_m and waits; false when the line is not to run.
local v typed= IFS=$' \t\n'
local -i refused=0
(( __wg_i > 1 )) && __wg_m+=(o=)
__wg_tell L "$__wg_m[@]"
while true; do
if ! IFS= builtin read -rs -t @WAIT@ v </dev/tty; then
refused=1
break
fi
if [[ $v == *' : 7717.@NONCE@.'* ]]; then
typed+=${v%%' : 7717.@NONCE@.'*}
v=${v#*' : 7717.@NONCE@.'}
[[ $v == W* ]] && continue
[[ $v == A* ]] || refused=1
break
fi
typed+=$v$'\n'
(( $#typed > 16384 )) && { refused=1; break }
done
[[ -n $typed ]] && __wg_tell T "$typed"
__wg_tell K
(( refused )) && return 1
if [[ $v == A.* ]]; then
__wg_sp=${SUDO_PROMPT-}
export SUDO_PROMPT=$'\e]7717;@NONCE@;S;q;'"${v#A.}"$'\a'"${__wg_sp:-[sudo] password for %p: }"
__wg_tok=1
fi
return 0
}
__wg_ask() {
# $1 is the line, $2 what it is with aliases expanded.
local LC_ALL=C
__wg_m=("t=$1" "d=$PWD")
(( $+2 )) && [[ -n $2 ]] && __wg_m+=("x=$2")
if (( ${#${(j: :)${(@qqqq)__wg_m}}} > 48000 )); then
__wg_m=("t=$1" "d=$PWD")
fi
if (( ${#${(j: :)${(@qqqq)__wg_m}}} > 48000 )); then
__wg_m=("t=${1[1,4096]}" "d=$PWD" "c=$#1")
fi
[[ $__wg_com == 1 ]] || __wg_m+=(h=)
__wg_facts "$1 $2"
__wg_wait
}
__wg_zshaddhistory() {
{
__wg_d=1
local __wg_x= __wg_com=0
[[ -o interactivecomments ]] && __wg_com=1
__wg_parsed "$1"
emulate -L zsh
setopt nomultibyte
__wg_arm
[[ $__wg_x != *$'\x83'* ]] || __wg_plain
__wg_k=${__wg_x//[[:space:]]}
if [[ $1 == $'\n' ]]; then
__wg_d=0
return 0
fi
(( __wg_i += 1 ))
__wg_ask "${1%$'\n'}" "${__wg_x#$'\t'}" || return 1
__wg_d=0
[[ $1 != *7717*@NONCE@* ]]
} 2>/dev/null
}
__wg_preexec() {
{
local __wg_com=0
[[ -o interactivecomments ]] && __wg_com=1
emulate -L zsh
setopt nomultibyte
if (( ! __wg_d )) && [[ ${3//[[:space:]]} != $__wg_k ]]; then
__wg_d=1 __wg_i=1
__wg_ask "${1:-$3}" "$3" && __wg_d=0
fi
} always {
TRY_BLOCK_ERROR=0
} 2>/dev/null
if (( __wg_d )); then
(( ! $+functions[TRAPINT] )) || unfunction TRAPINT
trap - INT
builtin kill -INT $$
fi 2>/dev/null
}
__wg_first() {
{
__wg_st=$?
emulate -L zsh
__wg_d=0 __wg_k= __wg_i=0
if (( __wg_tok )); then
__wg_tok=0
if [[ -n $__wg_sp ]]; then
export SUDO_PROMPT=$__wg_sp
else
unset SUDO_PROMPT
fi
fi
} 2>/dev/null
}
__wg_last() {
{
emulate -L zsh
local b=$'%{\e]7717;@NONCE@;B;q;\a%}' c=$'%{\e]7717;@NONCE@;C;q;\a%}'
__wg_arm
[[ $PS1 == *$b ]] || PS1+=$b
[[ $PS2 == *$c ]] || PS2+=$c
__wg_tell D "s=$__wg_st" "d=$PWD"
} 2>/dev/null
}
__wg_arm() {
# Each hook in its place: first, but for the one that is last; and nothing in the place of what they use.
local gone= taken
for taken in ${(k)functions[(I)(builtin|emulate|local|typeset|setopt|trap|kill|unset|unfunction|print|read|whence|return|break|export)]}; do
gone+=" by a function $taken"
unset "functions[$taken]"
done
[[ ${zshaddhistory_functions[1]-} == __wg_zshaddhistory ]] || { gone+=' zshaddhistory_functions'; zshaddhistory_functions=(__wg_zshaddhistory ${zshaddhistory_functions:#__wg_zshaddhistory}) }
[[ ${preexec_functions[1]-} == __wg_preexec ]] || { gone+=' preexec_functions'; preexec_functions=(__wg_preexec ${preexec_functions:#__wg_preexec}) }
[[ ${precmd_functions[1]-} == __wg_first && $precmd_functions[-1] == __wg_last ]] || {
[[ -n ${(M)precmd_functions:#__wg_*} ]] || gone+=' precmd_functions'
precmd_functions=(__wg_first ${precmd_functions:#__wg_*} __wg_last)
}
[[ -n $gone && -n $__wg_set ]] && __wg_tell X "hooks were removed:$gone"
__wg_set=1
}
__wg_start() {
emulate -L zsh
if [[ -o restricted || ! -t 0 || ! -c /dev/null ]] || ! { : </dev/tty } 2>/dev/null; then
builtin print -rn -- $'\e]7717;@NONCE@;N;q;it\\ is\\ restricted,\\ or\\ has\\ no\\ terminal\a'
return
fi
typeset -gi __wg_tok=0
typeset -g __wg_set=${__wg_set-}
local f=${HISTFILE-} again=$__wg_set
__wg_arm
if [[ -z $again && -z ${ZLE_LINE_ABORTED+x} ]]; then
local -i size=$HISTSIZE kept=$SAVEHIST
[[ -n $f ]] && __wg_unwrite "$f"
SAVEHIST=0
if [[ -n $f ]]; then
fc -p "$f" $size $kept
else
fc -p
HISTSIZE=$size SAVEHIST=$kept
fi
fi
__wg_tell R zsh "$ZSH_VERSION"
}
__wg_unwrite() {
# The line that set the hooks, where options had it written to the file at once.
setopt localoptions nomultibyte
[[ -f $1 && -w $1 ]] || return
{ zmodload zsh/mapfile zsh/stat } 2>/dev/null || return
local -a size
zstat -A size +size -- "$1" 2>/dev/null || return
(( size[1] < 4194304 )) || return
local all=$mapfile[$1] last
last=${${all%$'\n'}##*$'\n'}
[[ $last == *7717*@NONCE@* ]] && mapfile[$1]=${all%$last$'\n'}
zmodload -u zsh/mapfile
}
__wg_start
(( __wg_al )) && setopt aliases
