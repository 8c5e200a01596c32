"""Reads a line of shell: `read(line, context)` says what it would run, and what of it cannot be read.

**Simple commands.** All of them are found, wherever they stand: in lists, pipelines, groups, loops,
functions, substitutions, here-documents for a shell, aliases. A wrapper (`sudo`, `env`, `xargs`, `find
-exec`, `sh -c`, `ssh HOST` …) is a command of its own, and what it runs is another, which names its
wrappers, outermost first. Text that a shell gets is read where it is there: `echo … | sh`, `base64 -d <<<
… | sh`, a file that the same line writes.

**The normal form** (`SimpleCommand.text`) is what a regex is put to. It is

    name [verb] flags operands

- the name without its directory (`/bin/rm` is `rm`);
- of a program whose first operand says what it does (`git`, `systemctl`, `docker`, `kubectl`, `apt`, `ip` …)
  that operand, the verb;
- flags in their order, each apart and in one spelling, the short one where there is one: `rm -fr`, `rm -f -r`
  and `rm --force --recursive` are `rm -f -r`; a value follows behind a blank (`-o FILE`), behind a long flag
  behind `=`;
- operands in their order, `--` before them where one begins with a dash;
- each word without quotes, in single ones where it must be: it holds a blank or a character that a shell
  would take for something else. What is not known stands as it was written, without its quotes (`$DIR/x`);
  so does a glob.

`rm / -fR --verbose` is `rm -f -r -v /`. Of a program that is not in the tables flags stand as they were
written, and `flags` has clusters both whole and letter by letter (`-abc`, `-a`, `-b`, `-c`). What a wrapper
carries stands in the wrapper's text as it was written: `sudo -u bob rm -rf /`; the command itself has its own
normal form besides. `find` stands as it was written, for its order has a meaning. A redirection that no
simple command has stands alone (`> /etc/passwd`), with an empty program.

**Paths** are told apart from other operands by the program, resolved by their letters alone and absolute
where the directory is known; `?/` stands for one that is not. See `paths`.

**Opaque** is what cannot be known without running it, with its reason; a line may have both commands and
opaque parts. Nothing that is not read is left out without being said so: what does not parse is `unparsed`,
what is beyond a bound (`limits`) is `deep`.

What it does not do: it does not know what programs do, follow symbolic links, or compute arithmetic.
"""

from __future__ import annotations

from watchgate.policy.shell.reading_lines import read

__all__ = ["read"]
