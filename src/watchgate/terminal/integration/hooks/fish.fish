# fish 3.1 and later. Nothing in fish stops a line that is about to run, so that Enter is bound to a function
# that tells the line, waits, and then executes or cancels it. What is executed otherwise, or differs from
# what was told (an abbreviation), is told by the event before it runs; if it must not run then, the shell ends.
#   __wg_k  the line that was permitted
#   __wg_st, __wg_sp  the last status, the operator's SUDO_PROMPT
function __wg_tell
printf '\033]7717;@NONCE@;%s\007' "$argv" >/dev/tty
end
function __wg_word
string escape --style=url -- "$argv" | string collect
end
function __wg_facts
set -l words (string match -ra '[a-zA-Z0-9_.:+-]+' -- (string sub -l 4096 -- $argv[1]))
set -l seen
for w in $words[1..96]
contains -- $w $seen
and continue
set -a seen $w
if functions -q -- $w
echo -n ' '(__wg_word "f=$w")
else if contains -- $w sudo su doas pkexec
set -l path (command -s $w)
and echo -n ' '(__wg_word "r=$w=$path")
end
end
for name in (string match -ra '\$[a-zA-Z_][a-zA-Z0-9_]*' -- (string sub -l 4096 -- $argv[1]) | string sub -s 2)[1..32]
string match -qr '^(__wg_.*|status|pipestatus|history|argv|w|words|path|name|random)$' -- $name
and continue
test (count $$name) -eq 1
and test (string length -- "$$name") -lt 1024
and echo -n ' '(__wg_word "v=$name=$$name")
end
end
function __wg_ask
set -l text $argv[1]
set -l told (__wg_word "t=$text")
if test (string length -- "$told") -gt 48000
set -l start (string sub -l 4096 -- "$text" | string collect)
set told (__wg_word "t=$start")' c='(string length -- "$text" | string collect)
end
set -l facts (__wg_facts "$text" | string collect)
set -l place (__wg_word "d=$PWD")
__wg_tell "L;u;$told$facts $place"
set -l typed
set -l permitted 1
set -l token
while true
set -l v (__wg_read </dev/tty | string collect)
if test -z "$v"
break
end
set -l found (string match -r '^((?:.|\n)*?) : 7717\.@NONCE@\.([ABW])(?:\.([a-zA-Z0-9]*))?$' -- $v)
if test (count $found) -gt 2
set typed "$typed$found[2]"
test $found[3] = W
and continue
test $found[3] = A
and set permitted 0
set token $found[4]
break
end
set typed "$typed$v"\n
end
test -n "$typed"
and __wg_tell 'T;u;'(__wg_word "$typed")
__wg_tell 'K;u;'
if test $permitted -eq 0 -a -n "$token"
set -g __wg_sp $SUDO_PROMPT
set -l usual '[sudo] password for %p: '
test -n "$__wg_sp"
and set usual $__wg_sp
set -gx SUDO_PROMPT \e']7717;@NONCE@;S;q;'$token\a$usual
set -g __wg_token 1
end
return $permitted
end
function __wg_read
timeout --foreground @WAIT@ head -n 1
end
command -q timeout
or function __wg_read
head -n 1
end
function __wg_enter
# In a list of completions Enter takes the chosen one and runs nothing; should it run something, preexec asks.
if commandline --paging-mode; and not commandline --search-mode
commandline -f execute
return
end
set -l text (commandline -b | string collect)
commandline --is-valid
set -l valid $status
if test $valid -eq 2
commandline -f execute
__wg_tell 'C;u;'
return
end
if test $valid -eq 1
commandline -f execute
__wg_tell 'D;u;s=127 '(__wg_word "d=$PWD")
__wg_tell 'B;u;'
return
end
if not string match -qr '\S' -- $text
commandline -f execute
return
end
if __wg_ask "$text"
set -g __wg_k $text
commandline -f execute
else
set -g __wg_k
commandline -f cancel-commandline
__wg_tell 'D;u;s=130 '(__wg_word "d=$PWD")
__wg_tell 'B;u;'
end
end
function __wg_preexec --on-event fish_preexec
test "$argv[1]" = "$__wg_k"
and return
__wg_ask "$argv[1]"
and return
kill -KILL $fish_pid
end
function __wg_postexec --on-event fish_postexec
set -g __wg_st $status
end
function __wg_prompt --on-event fish_prompt
if set -q __wg_token
set -e __wg_token
set -e SUDO_PROMPT
test -n "$__wg_sp"
and set -gx SUDO_PROMPT $__wg_sp
end
set -g __wg_k
if set -q __wg_ready
for mode in default insert
if not bind -M $mode \r 2>/dev/null | string match -q '*__wg_enter*'
__wg_tell 'X;u;bindings%20were%20changed'
__wg_bind
break
end
end
end
__wg_tell "D;u;s=$__wg_st "(__wg_word "d=$PWD")
__wg_tell 'B;u;'
end
function __wg_bind
for mode in default insert
bind -M $mode \r __wg_enter
bind -M $mode \n __wg_enter
bind -M $mode \e\[7717~ expand-abbr
end
end
set -g __wg_st 0
__wg_bind
set -g __wg_ready 1
# fish keeps a line that begins with a blank until the next one: `up` would show it.
builtin history delete --exact --case-sensitive -- (status current-commandline) 2>/dev/null
__wg_tell 'R;u;fish '(__wg_word "$version")
