"""Answering the password prompt of an elevation (sudo, su, doas, enable) from the vault.

The secret goes into the prompt of the elevation itself and into no other. How that is known is the *proof*:

* `integration`: the session's own shell told the line and where it finds `sudo`, and set `SUDO_PROMPT` to a
  mark that is used once, for this line alone. Only sudo has it: a line in which another program would find it
  in its environment gets none.
* `pattern`: the line is known to its last octet and has one elevation in it, and directly behind it, with
  nothing in between but what such a program says before it asks, came a prompt in its own form, and then
  nothing. This is all there is for su, doas, network devices, prompts given with `-p`, and shells that tell
  nothing. Whether the terminal echoes cannot be seen on the wire. What stands in for it: the form, the place,
  the silence behind it, that the program is one that asks before it runs anything, and that what is printed
  afterwards is scrubbed (`scrubbing.py`).

It is a convenience with a guard, not a boundary against the target: who controls the account's own shell (its
memory, its terminal) or is root there can read what is typed into it. Lines of shells inside of programs are
never answered: whatever the shell runs in could listen. That is for the caller to hold: only lines of the
session's own first shell, or of a device, are told to `Elevation.started`.

pkexec and run0 ask through an agent of their own, and are left to the operator.
"""
