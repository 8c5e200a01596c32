"""Programs that read, write, move and pack files."""

from __future__ import annotations

from watchgate.policy.shell.known import Known, Operands, pairs

_ALL = Operands.PATHS
_AFTER_ONE = Operands.AFTER_ONE
_NONE = Operands.NONE

FILES: dict[str, Known] = {
    "rm": Known(
        "-r,-R,--recursive -f,--force -i -I --interactive=? -v,--verbose -d,--dir "
        "--one-file-system --no-preserve-root --preserve-root=?",
        _ALL,
    ),
    "rmdir": Known("-p,--parents -v,--verbose --ignore-fail-on-non-empty", _ALL),
    "unlink": Known("", _ALL),
    "cp": Known(
        "-a,--archive -r,-R,--recursive -f,--force -i,--interactive -n,--no-clobber -u,--update=? "
        "-v,--verbose -p --preserve=? --no-preserve= -d -P,--no-dereference -L,--dereference -H "
        "-l,--link -s,--symbolic-link -t,--target-directory=@ -T,--no-target-directory -b --backup=? "
        "-S,--suffix= --parents --reflink=? --sparse= --remove-destination -x,--one-file-system "
        "--attributes-only --strip-trailing-slashes -Z --context=?",
        _ALL,
    ),
    "mv": Known(
        "-f,--force -i,--interactive -n,--no-clobber -u,--update=? -v,--verbose -b --backup=? "
        "-S,--suffix= -t,--target-directory=@ -T,--no-target-directory --exchange "
        "--strip-trailing-slashes -Z,--context",
        _ALL,
    ),
    "ln": Known(
        "-s,--symbolic -f,--force -i,--interactive -n,--no-dereference -r,--relative -v,--verbose "
        "-b --backup=? -S,--suffix= -t,--target-directory=@ -T,--no-target-directory -L,--logical "
        "-P,--physical -d,-F,--directory",
        _ALL,
    ),
    "install": Known(
        "-d,--directory -D -m,--mode= -o,--owner= -g,--group= -s,--strip -p,--preserve-timestamps "
        "-t,--target-directory=@ -T,--no-target-directory -v,--verbose -b --backup=? -S,--suffix= "
        "-C,--compare -c",
        _ALL,
    ),
    "chmod": Known(
        "-R,--recursive -f,--silent,--quiet -v,--verbose -c,--changes --reference=@ "
        "--preserve-root --no-preserve-root",
        _AFTER_ONE,
    ),
    "chown": Known(
        "-R,--recursive -f,--silent,--quiet -v,--verbose -c,--changes -h,--no-dereference "
        "--dereference --from= --reference=@ --preserve-root --no-preserve-root -H -L -P",
        _AFTER_ONE,
    ),
    "chgrp": Known(
        "-R,--recursive -f,--silent,--quiet -v,--verbose -c,--changes -h,--no-dereference "
        "--dereference --reference=@ --preserve-root --no-preserve-root -H -L -P",
        _AFTER_ONE,
    ),
    "chattr": Known("recursive:-R -V -f -v= -p=", _AFTER_ONE),
    "setfacl": Known(
        "-R,--recursive -m,--modify= -M,--modify-file=@ -x,--remove= -X,--remove-file=@ "
        "-b,--remove-all -k,--remove-default -d,--default -s,--set= --set-file=@ --restore=@ "
        "-n,--no-mask --mask -L,--logical -P,--physical --test",
        _ALL,
    ),
    "setcap": Known("-q -v -n= -r -f", _AFTER_ONE),
    "touch": Known(
        "-a -c,--no-create -d,--date= -h,--no-dereference -m -r,--reference=@ -t= --time=", _ALL
    ),
    "mkdir": Known("-p,--parents -m,--mode= -v,--verbose -Z --context=?", _ALL),
    "mktemp": Known("-d,--directory -u,--dry-run -q,--quiet -p,--tmpdir=@ --suffix= -t", _ALL),
    "mknod": Known("-m,--mode= -Z", Operands.FIRST),
    "mkfifo": Known("-m,--mode= -Z", _ALL),
    "truncate": Known("-s,--size= -c,--no-create -o,--io-blocks -r,--reference=@", _ALL),
    "shred": Known(
        "-u --remove=? -f,--force -n,--iterations= -s,--size= -v,--verbose -x,--exact -z,--zero "
        "--random-source=@",
        _ALL,
    ),
    "dd": Known("", Operands.ASSIGNED),
    "cat": Known(
        "-A,--show-all -b,--number-nonblank -e -E,--show-ends -n,--number -s,--squeeze-blank -t "
        "-T,--show-tabs -u -v,--show-nonprinting",
        _ALL,
    ),
    "tac": Known("-b,--before -r,--regex -s,--separator=", _ALL),
    "head": Known(
        "-n,--lines= -c,--bytes= -q,--quiet,--silent -v,--verbose -z,--zero-terminated", _ALL
    ),
    "tail": Known(
        "-n,--lines= -c,--bytes= -f --follow=? -F --retry --pid= -s,--sleep-interval= "
        "-q,--quiet,--silent -v,--verbose -z,--zero-terminated --max-unchanged-stats=",
        _ALL,
    ),
    "tee": Known("-a,--append -i,--ignore-interrupts -p --output-error=?", _ALL),
    "wc": Known(
        "-c,--bytes -m,--chars -l,--lines -w,--words -L,--max-line-length --files0-from=@", _ALL
    ),
    "sort": Known(
        "-b,--ignore-leading-blanks -d,--dictionary-order -f,--ignore-case -g -h,--human-numeric-sort "
        "-i -M -n,--numeric-sort -R,--random-sort -r,--reverse -V,--version-sort -c,--check=? -C "
        "-k,--key= -m,--merge -o,--output=@ -s,--stable -S,--buffer-size= -t,--field-separator= "
        "-T,--temporary-directory=@ -u,--unique -z --parallel= --compress-program= --batch-size= "
        "--files0-from=@ --debug --sort= --random-source=@",
        _ALL,
    ),
    "uniq": Known(
        "-c,--count -d,--repeated -D -f,--skip-fields= -i,--ignore-case -s,--skip-chars= -u,--unique -w,--check-chars= -z",
        _ALL,
    ),
    "cut": Known(
        "-b,--bytes= -c,--characters= -d,--delimiter= -f,--fields= -n -s,--only-delimited -z --complement --output-delimiter=",
        _ALL,
    ),
    "tr": Known("-c,-C,--complement -d,--delete -s,--squeeze-repeats -t,--truncate-set1", _NONE),
    "split": Known(
        "-a,--suffix-length= -b,--bytes= -C,--line-bytes= -d -e -l,--lines= -n,--number= -t= -u --filter= --additional-suffix= --verbose",
        _ALL,
    ),
    "grep": Known(
        "-E,--extended-regexp -F,--fixed-strings -G,--basic-regexp -P,--perl-regexp -e,--regexp= "
        "-f,--file=@ -i,--ignore-case -v,--invert-match -w,--word-regexp -x,--line-regexp -c,--count "
        "--color=? --colour=? -L,--files-without-match -l,--files-with-matches -m,--max-count= "
        "-o,--only-matching -q,--quiet,--silent -s,--no-messages -b,--byte-offset -H,--with-filename "
        "-h,--no-filename --label= -n,--line-number -T -Z,--null -A,--after-context= "
        "-B,--before-context= -C,--context= -a,--text --binary-files= -D,--devices= "
        "-d,--directories= --exclude= --exclude-from=@ --exclude-dir= -I --include= -r,--recursive "
        "-R,--dereference-recursive -U -z,--null-data -y --no-ignore-case --line-buffered",
        Operands.AFTER_PATTERN,
    ),
    "sed": Known(
        "-n,--quiet,--silent -e,--expression= -f,--file=@ -i,--in-place=? -E,-r,--regexp-extended "
        "-s,--separate -u,--unbuffered -z,--null-data -l,--line-length= --posix --debug --sandbox "
        "--follow-symlinks",
        Operands.AFTER_PATTERN,
    ),
    "awk": Known(
        "-F,--field-separator= -v,--assign= -f,--file=@ -e,--source= -i,--include=@ -S,--sandbox -W= -b -c -C -d=? -D=? -E,--exec=@ -n -o=? -p=? -O -P -r -s -t",
        Operands.AFTER_PATTERN,
    ),
    "ls": Known(
        "-a,--all -A,--almost-all -l -h,--human-readable -r,--reverse -t -R,--recursive -d,--directory "
        "-1 -i,--inode -s,--size -S -n,--numeric-uid-gid -F --classify=? --color=? -g -G,--no-group -o "
        "-p -q -c -u -x -X -v -w,--width= -Z,--context -L,--dereference -H -B,--ignore-backups "
        "-C -f -k -m -N -Q -I,--ignore= --hide= --sort= --time= --time-style= --full-time "
        "--group-directories-first --format= --block-size= --indicator-style= --zero -T,--tabsize=",
        _ALL,
    ),
    "tree": Known(
        "-a -d -L= -P= -I= -f -i -o=@ -h -s -p -u -g -D -C -n -x -l --du --prune --noreport", _ALL
    ),
    "stat": Known("-c,--format= --printf= -f,--file-system -L,--dereference -t,--terse", _ALL),
    "file": Known(
        "-b,--brief -i,--mime -z -L,--dereference -f,--files-from=@ -m,--magic-file=@ -F= -h -k -s",
        _ALL,
    ),
    "du": Known(
        "-a,--all -h,--human-readable -s,--summarize -c,--total -d,--max-depth= -x,--one-file-system "
        "-k -m -b,--bytes -S -L -P -D -H -l -0 --apparent-size --exclude= -X,--exclude-from=@ "
        "-t,--threshold= --time=? --si --inodes -B,--block-size= --files0-from=@",
        _ALL,
    ),
    "df": Known(
        "-a,--all -h,--human-readable -H,--si -i,--inodes -k -l,--local -T,--print-type -t,--type= -x,--exclude-type= -P --output=? --total -B,--block-size= --sync --no-sync",
        _ALL,
    ),
    "diff": Known(
        "-u -U,--unified= -r,--recursive -q,--brief -w -b -B -i -N,--new-file -y,--side-by-side -c -C= -a -s -x,--exclude= -X,--exclude-from=@ -I= -L,--label= -W,--width= --color=?",
        _ALL,
    ),
    "cmp": Known("-b -i= -l -n= -s,--silent,--quiet", _ALL),
    "cpio": Known(
        "-o,--create -i,--extract -p,--pass-through -t,--list -d,--make-directories -F,--file=@ -I=@ "
        "-O=@ -D,--directory=@ -u,--unconditional -v,--verbose -H,--format= -m -0 --rsh-command= "
        "-E,--pattern-file=@ -R,--owner=",
        _ALL,
    ),
    "tar": Known(
        "-c,--create -x,--extract,--get -t,--list -r,--append -u,--update -A,--catenate -d,--diff "
        "--delete -f,--file=@ -C,--directory=@ -v,--verbose -z,--gzip,--gunzip,--ungzip -j,--bzip2 "
        "-J,--xz --zstd --lzma --lzip -a,--auto-compress -I,--use-compress-program= -p,--preserve-permissions "
        "-P,--absolute-names -k,--keep-old-files -O,--to-stdout -T,--files-from=@ -X,--exclude-from=@ "
        "--exclude= -h,--dereference -W -M -L= -F,--info-script,--new-volume-script= -g,--listed-incremental=@ "
        "-N= -K= -b= -H,--format= --checkpoint=? --checkpoint-action= --to-command= --rmt-command= "
        "--rsh-command= --strip-components= --transform,--xform= --owner= --group= --mode= "
        "--remove-files --no-same-owner --same-owner --overwrite --one-file-system --wildcards "
        "--numeric-owner --warning= --totals --unlink-first --recursive-unlink -s -S,--sparse -m -w -B -i -l -o -R -V=",
        _ALL,
        bundled=True,
    ),
    "zip": Known(
        "-r,--recurse-paths -m,--move -d,--delete -u,--update -e,--encrypt -P,--password= -x,--exclude= "
        "-T,--test -TT,--unzip-command= -q,--quiet -j,--junk-paths -y,--symlinks -9 -0 -1 -b=@ -f -i= "
        "-n= -o -t= -v -z -@",
        _ALL,
    ),
    "unzip": Known("-d=@ -o -n -l -q -p -t -v -x= -P= -u -j -a -Z -C -L", _ALL),
    "gzip": Known(
        "-c,--stdout -d,--decompress -f,--force -k,--keep -r,--recursive -t,--test -v -l -n -N -q -S,--suffix= -1 -2 -3 -4 -5 -6 -7 -8 -9",
        _ALL,
    ),
    "base64": Known("-d,-D,--decode -i,--ignore-garbage -w,--wrap=", _ALL),
    "xxd": Known(
        "reverse:-r,-revert plain:-p,-ps,-plain,-postscript -c= -g= -l= -s= -u -i -b -e -E -a", _ALL
    ),
    "rev": Known("-0", _ALL),
    "realpath": Known("-e -m -L -P -q -s -z --relative-to=@ --relative-base=@", _ALL),
    "readlink": Known("-f,--canonicalize -e -m -n -q -s -v -z", _ALL),
    "basename": Known("-a,--multiple -s,--suffix= -z", _NONE),
    "dirname": Known("-z", _NONE),
    "md5sum": Known(
        "-b -c,--check -t -z --tag --quiet --status --ignore-missing -w --strict", _ALL
    ),
    "find": Known("", Operands.OWN),
    "locate": Known("-i -l,--limit= -c -r,--regexp= -b -e -n= -d=@ -q", _NONE),
    "patch": Known(
        "-p,--strip= -i,--input=@ -o,--output=@ -d,--directory=@ -R,--reverse -b -N -f -s -E -t --dry-run -r=@",
        _ALL,
    ),
}

for _same, _as in pairs(
    "gunzip=gzip zcat=gzip bzip2=gzip bunzip2=gzip xz=gzip unxz=gzip zstd=gzip "
    "egrep=grep fgrep=grep zgrep=grep gawk=awk mawk=awk nawk=awk bsdtar=tar gtar=tar "
    "gsed=sed sha1sum=md5sum sha256sum=md5sum sha512sum=md5sum base32=base64 srm=rm "
    "dir=ls vdir=ls rg=grep"
).items():
    FILES[_same] = FILES[_as]
