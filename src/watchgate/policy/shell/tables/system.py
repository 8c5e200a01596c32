"""Programs that change a machine: accounts, services, disks, packages, its network."""

from __future__ import annotations

from watchgate.policy.shell.known import Known, Operands, pairs

_ALL = Operands.PATHS
_NONE = Operands.NONE
_LIKELY = Operands.LIKELY

_ACCOUNT = (
    "-c,--comment= -d,--home,--home-dir=@ -D -e,--expiredate= -f,--inactive= -g,--gid= -G,--groups= "
    "-k,--skel=@ -K,--key= -l,--no-log-init -m,--create-home -M,--no-create-home -N,--no-user-group "
    "-o,--non-unique -p,--password= -r,--system -R,--root=@ -s,--shell=@ -u,--uid= -U,--user-group "
    "-b,--base-dir=@ -P,--prefix=@ -Z,--selinux-user="
)

SYSTEM: dict[str, Known] = {
    "systemctl": Known(
        "-a,--all -t,--type= -p,--property= -l,--full -q,--quiet --now -f,--force -n,--lines= -o,--output= "
        "-H,--host= -M,--machine= --user --system --global --no-pager --no-block --no-reload --runtime "
        "-s,--signal= --kill-whom,--kill-who= --state= --failed --root=@ --job-mode= -r,--recursive "
        "--no-legend --value --wait --no-ask-password --what= -i --show-types --plain --reverse",
        _NONE,
        verb=True,
    ),
    "service": Known("--status-all --full-restart", _NONE, verb=True),
    "journalctl": Known(
        "-u,--unit= -f,--follow -n,--lines= -e,--pager-end -x,--catalog -b,--boot=? -k,--dmesg -S,--since= "
        "-U,--until= -p,--priority= -o,--output= -r,--reverse -g,--grep= -t,--identifier= -D,--directory=@ "
        "--file=@ --no-pager -q,--quiet -a,--all --vacuum-size= --vacuum-time= --vacuum-files= --rotate "
        "--flush --disk-usage --list-boots --user --system -M,--machine= -m,--merge --sync --no-full -l,--full",
        _NONE,
    ),
    "useradd": Known(_ACCOUNT, _NONE),
    "adduser": Known(
        "--home=@ --shell=@ --no-create-home --uid= --ingroup= --gid= --disabled-password "
        "--disabled-login --gecos= --system --group --quiet --debug --force-badname --conf=@",
        _NONE,
    ),
    "usermod": Known(
        "-a,--append -c,--comment= -d,--home=@ -e,--expiredate= -f,--inactive= -g,--gid= -G,--groups= "
        "-l,--login= -L,--lock -m,--move-home -o,--non-unique -p,--password= -R,--root=@ -s,--shell=@ "
        "-u,--uid= -U,--unlock -r,--remove -v,--add-subuids= -w= -P,--prefix=@",
        _NONE,
    ),
    "userdel": Known("-f,--force -r,--remove -R,--root=@ -P,--prefix=@ -Z", _NONE),
    "deluser": Known(
        "--remove-home --remove-all-files --backup --backup-to=@ --force --system --group --quiet",
        _NONE,
    ),
    "groupadd": Known(
        "-f,--force -g,--gid= -K,--key= -o,--non-unique -p,--password= -r,--system -R,--root=@ -U,--users=",
        _NONE,
    ),
    "groupmod": Known("-g,--gid= -n,--new-name= -o,--non-unique -p,--password= -R,--root=@", _NONE),
    "groupdel": Known("-f,--force -R,--root=@", _NONE),
    "gpasswd": Known(
        "-a,--add= -d,--delete= -A,--administrators= -M,--members= -r,--remove-password -R,--restrict -Q=@",
        _NONE,
    ),
    "passwd": Known(
        "-a,--all -d,--delete -e,--expire -i,--inactive= -k,--keep-tokens -l,--lock -n,--mindays= -q,--quiet "
        "-S,--status -u,--unlock -w,--warndays= -x,--maxdays= --stdin -R,--root=@",
        _NONE,
    ),
    "chage": Known(
        "-d,--lastday= -E,--expiredate= -I,--inactive= -l,--list -m,--mindays= -M,--maxdays= -W,--warndays= -R,--root=@",
        _NONE,
    ),
    "chpasswd": Known(
        "-c,--crypt-method= -e,--encrypted -m,--md5 -R,--root=@ -s,--sha-rounds=", _NONE
    ),
    "chsh": Known("-s,--shell=@ -l,--list-shells", _NONE),
    "crontab": Known("user:-u= list:-l remove:-r edit:-e interactive:-i", _ALL),
    "at": Known("-f=@ -m -M -q= -t= list:-l remove:-r,-d -v -c -b -V", _NONE),
    "iptables": Known(
        "-A,--append= -C,--check= -D,--delete= -I,--insert= -R,--replace= -L,--list=? -S,--list-rules=? "
        "-F,--flush=? -Z,--zero=? -N,--new-chain= -X,--delete-chain=? -P,--policy= -E,--rename-chain= "
        "-p,--protocol,--proto= -s,--source,--src= -d,--destination,--dst= -j,--jump= -g,--goto= -m,--match= "
        "-i,--in-interface= -o,--out-interface= -f,--fragment -c,--set-counters= -n,--numeric -v,--verbose "
        "-x,--exact -t,--table= -w,--wait=? --line-numbers --dport,--destination-port= --sport,--source-port= "
        "--state= --ctstate= --to-destination= --to-source= --to-ports= --icmp-type= --log-prefix= --limit= "
        "--dports= --sports= --comment= --reject-with= --tcp-flags= --syn --limit-burst= --log-level= --mac-source=",
        _NONE,
    ),
    "nft": Known(
        "-a,--handle -c,--check -f,--file=@ -i,--interactive -j,--json -n,--numeric -s -e,--echo -I,--includepath=@ -o -D= -t -y -S",
        _NONE,
        verb=True,
    ),
    "ufw": Known("--force --dry-run", _NONE, verb=True),
    "firewall-cmd": Known(
        "--permanent --reload --zone= --add-port= --remove-port= --add-service= --remove-service= --add-rich-rule= --remove-rich-rule= --panic-on --panic-off --list-all --state --runtime-to-permanent --complete-reload",
        _NONE,
        verb=True,
    ),
    "ip": Known(
        "-4 -6 -s,-stats,-statistics -d,-details -o,-oneline -br,-brief -c,-color -j,-json -p,-pretty -n,-netns= -b,-batch=@ -a,-all -r,-resolve -f,-family= -h -l= -rc= -B -0 -M -N -V -t -ts",
        _NONE,
        verb=True,
    ),
    "ifconfig": Known("-a -s -v", _NONE),
    "route": Known("-n -v -e -F -C -A= -4 -6", _NONE),
    "sysctl": Known(
        "-w,--write -p,--load=?@ -a,--all -n,--values -q,--quiet -e,--ignore --system -N,--names -r,--pattern= -b,--binary",
        _NONE,
    ),
    "mount": Known(
        "-a,--all -B,--bind -c -f,--fake -F -i -l -L,--label= -M,--move -n -N,--namespace= -o,--options= -O= "
        "-r,--read-only -R,--rbind -s -t,--types= -T,--fstab=@ -U,--uuid= -v,--verbose -w,--rw --make-private "
        "--make-shared --mkdir=? --source=@ --target=@",
        _LIKELY,
    ),
    "umount": Known(
        "-a,--all -A -c -d -f,--force -i -l,--lazy -n -O= -R,--recursive -r,--read-only -t,--types= -v,--verbose -q -N=",
        _LIKELY,
    ),
    "swapoff": Known("-a,--all -v", _ALL),
    "mkfs": Known(
        "-t,--type= -V,--verbose -c -F,--force -f -L= -m= -b= -n= -q -v -i= -I= -N= -O= -T= -U= -E= -j -S",
        _LIKELY,
    ),
    "mkswap": Known(
        "-c,--check -f,--force -p,--pagesize= -L,--label= -v,--swapversion= -U,--uuid=", _ALL
    ),
    "wipefs": Known(
        "-a,--all -b,--backup=? -f,--force -i,--noheadings -J,--json -n,--no-act -o,--offset= -O,--output= -p,--parsable -q,--quiet -t,--types= --lock=?",
        _ALL,
    ),
    "blkdiscard": Known(
        "-f,--force -o,--offset= -l,--length= -p,--step= -s,--secure -z,--zeroout -v,--verbose",
        _ALL,
    ),
    "fdisk": Known(
        "-l,--list -b= -B -c=? -L=? -o= -s= -t= -u=? -w= -W= -x -C= -H= -S= -n -q", _ALL
    ),
    "parted": Known("-s,--script -l,--list -a,--align= -m,--machine -f,--fix", _LIKELY),
    "sgdisk": Known(
        "-Z,--zap-all -z,--zap -o,--clear -n,--new= -d,--delete= -p,--print -t,--typecode= -c,--change-name= -g,--mbrtogpt -b,--backup=@ -l,--load-backup=@ -G,--randomize-guids -R,--replicate=@ -i,--info= -v -e",
        _ALL,
    ),
    "cryptsetup": Known(
        "-q,--batch-mode -d,--key-file=@ -c,--cipher= -s,--key-size= -h,--hash= -y -v -r -i= -t= -T= --type= --force-password",
        _LIKELY,
    ),
    "lvremove": Known("-f,--force -y,--yes -v -q -n= -S=", _LIKELY),
    "mdadm": Known(
        "-S,--stop -C,--create -A,--assemble -D,--detail -f,--fail -r,--remove -a,--add -z,--size= -l,--level= -n,--raid-devices= --zero-superblock -v -s,--scan -x= -c= -E --force --run",
        _LIKELY,
    ),
    "zpool": Known("-f -r -R= -n -o= -v -H", _NONE, verb=True),
    "zfs": Known("-f -r -R -n -o= -v -H -d= -t= -s= -S= -p -u", _NONE, verb=True),
    "kill": Known(
        "-s,--signal= -l,--list=? -L,--table -n= -p,--pid -q,--queue= -a -v --timeout=", _NONE
    ),
    "pkill": Known(
        "-s,--session= -e,--echo -f,--full -g,--pgroup= -G,--group= -i -n,--newest -o,--oldest -P,--parent= -t,--terminal= -u,--euid= -U,--uid= -x,--exact -F,--pidfile=@ -L -c,--count --signal= -v,--inverse -H -q=",
        _NONE,
    ),
    "killall": Known(
        "-e,--exact -g,--process-group -i,--interactive -I,--ignore-case -l,--list -n= -o= -q,--quiet -r,--regexp -s,--signal= -u,--user= -v,--verbose -w,--wait -y= -Z=",
        _NONE,
    ),
    "ps": Known(
        "-e -f -a -x -u= -U= -p= -o= -C= -L -l -F -j -A -H -T -t= -g= -w -y -Z -M -d -N -n= -O= -q= -s= -G= -c --sort= --no-headers --forest --ppid= --pid= --user= --format=",
        _NONE,
    ),
    "shutdown": Known("-h -P,--poweroff -r,--reboot -c -H,--halt -k -t= --no-wall --show", _NONE),
    "reboot": Known(
        "-f,--force -w,--wtmp-only -d -p,--poweroff --halt --reboot --no-wall -n", _NONE
    ),
    "history": Known("clear:-c delete:-d= append:-a write:-w read:-r -n -p -s", _ALL),
    "apt": Known(
        "-y,--yes,--assume-yes -q,--quiet -f,--fix-broken -d,--download-only -s,--simulate,--dry-run "
        "-t,--target-release= -o,--option= -c,--config-file=@ -V -u -b -m --purge --auto-remove,--autoremove --reinstall "
        "--no-install-recommends --allow-downgrades --allow-unauthenticated --only-upgrade --force-yes -a= "
        "--no-upgrade --install-recommends --installed --upgradable --allow-remove-essential",
        _LIKELY,
        verb=True,
    ),
    "dpkg": Known(
        "-i,--install -r,--remove -P,--purge -l,--list -L,--listfiles -s,--status -S,--search -c,--contents -I,--info -x,--extract -X -e --configure --unpack -a --force-all --force-depends -D= --root=@ --get-selections --set-selections --print-architecture",
        _LIKELY,
    ),
    "rpm": Known(
        "-i,--install -e,--erase -U,--upgrade -F,--freshen -q,--query -a,--all -f,--file -l,--list -p,--package -V,--verify -v -h,--hash --nodeps --force --import -K --root=@ -c -d --last --qf,--queryformat= -R --scripts --changelog -s",
        _LIKELY,
    ),
    "yum": Known(
        "-y,--assumeyes -q,--quiet -v -C -x,--exclude= -c=@ --enablerepo= --disablerepo= --nogpgcheck --installroot=@ -R= -d= -e= -b --skip-broken --security",
        _LIKELY,
        verb=True,
    ),
    "setenforce": Known("", _NONE),
    "getenforce": Known("", _NONE),
    "auditctl": Known(
        "-D -e= -l -s -a= -d= -w=@ -W=@ -p= -k= -b= -f= -r= -R=@ -S= -F= -c -i -m= -t -q= -v", _NONE
    ),
    "modprobe": Known(
        "-r,--remove -a,--all -f,--force -n,--dry-run -v,--verbose -q,--quiet -d,--dirname=@ -C,--config=@ -i -s -S= -R",
        _NONE,
    ),
    "insmod": Known("-f -s -v", _ALL),
    "rmmod": Known("-f,--force -v,--verbose -s,--syslog -w", _NONE),
    "hostnamectl": Known("--static --transient --pretty -H= -M= --json= --no-ask-password", _NONE),
    "timedatectl": Known("-H= -M= --adjust-system-clock --no-ask-password -a -l -p=", _NONE),
    "visudo": Known("-c,--check -f,--file=@ -s,--strict -q,--quiet -x= -O -P", _NONE),
    "git": Known(
        "-f,--force --force-with-lease=? -a,--all -m,--message= -u -b= -B= -d,--delete -D -C=@ -c= -p,--patch -q,--quiet "
        "-v,--verbose --hard --soft --mixed --amend --no-verify --git-dir=@ --work-tree=@ --depth= --branch= -n,--dry-run -x -X -r "
        "--tags --prune --rebase --no-edit --oneline --graph --stat --cached --staged --author= --since= --until= --grep= "
        "--upload-pack= --receive-pack= --exec= --exec-path=? -i,--interactive -s -S -t -e -w -l -M --name-only --mirror "
        "--recurse-submodules=? --no-pager --abort --continue --skip --onto= --format= --pretty= --bare --origin= --set-upstream",
        _NONE,
        verb=True,
    ),
}

for _same, _as in pairs(
    "ip6tables=iptables iptables-legacy=iptables apt-get=apt aptitude=apt dnf=yum "
    "microdnf=yum zypper=yum poweroff=reboot halt=reboot vgremove=lvremove "
    "pvremove=lvremove batch=at pgrep=pkill cfdisk=fdisk sfdisk=fdisk swapon=swapoff "
    "delgroup=deluser"
).items():
    SYSTEM[_same] = SYSTEM[_as]
