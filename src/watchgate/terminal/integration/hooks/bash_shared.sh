# What both hooks for bash have: telling, reading a line off the history, and what is known of its words.
#   __wg_has  whether a variable can be told; each of them has its own
#   __wg_al  whether the operator's aliases were off while this is read
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
if __wg_has "$__wg_w"; then
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
__wg_keep() {
# Let every line be kept by the history while the prompt stands.
if [[ ! -o history && $__wg_ho != off ]]; then
__wg_ho=off
__wg_tell "X;q;the\ history\ was\ turned\ off"
fi
if [[ ${HISTSIZE-1} == 0 ]]; then
HISTSIZE=1 __wg_ho=1
fi
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
