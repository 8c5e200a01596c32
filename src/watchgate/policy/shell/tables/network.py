"""Programs that reach other machines."""

from __future__ import annotations

from watchgate.policy.shell.known import Known, Operands, pairs

_NONE = Operands.NONE
_LIKELY = Operands.LIKELY

NETWORK: dict[str, Known] = {
    "curl": Known(
        "-X,--request= -d,--data= --data-binary= --data-raw= --data-urlencode= -F,--form= -T,--upload-file=@ "
        "-o,--output=@ -O,--remote-name -J,--remote-header-name -L,--location -s,--silent -S,--show-error "
        "-f,--fail -k,--insecure -H,--header= -A,--user-agent= -e,--referer= -u,--user= -x,--proxy= -b,--cookie= "
        "-c,--cookie-jar=@ -D,--dump-header=@ -K,--config=@ -E,--cert=@ --key=@ --cacert=@ --capath=@ -i,--include "
        "-I,--head -v,--verbose -m,--max-time= --connect-timeout= --retry= --resolve= --unix-socket=@ -w,--write-out= "
        "-G,--get -g -C,--continue-at= -r,--range= -z= -y= -Y= -q -# -0 -1 -2 -3 -4 -6 -a -B -j -l -n -N -p -P= -Q= -R -t= -U= "
        "--compressed --interface= --http1.1 --http2 --noproxy= --json= --trace=@ --limit-rate= --max-redirs= --next",
        _NONE,
    ),
    "wget": Known(
        "-O,--output-document=@ -o,--output-file=@ -a,--append-output=@ -i,--input-file=@ -P,--directory-prefix=@ "
        "-q,--quiet -v -c,--continue -N,--timestamping -r,--recursive -l,--level= -k -p -m,--mirror -np,--no-parent -t,--tries= "
        "-T,--timeout= -w,--wait= -U,--user-agent= --header= --post-data= --post-file=@ --body-file=@ --body-data= --method= "
        "-b,--background -nc,--no-clobber -nv,--no-verbose -S,--server-response -e,--execute= -x -nd,--no-directories "
        "-nH,--no-host-directories --user= --password= --no-check-certificate --spider --use-askpass= -A= -R= -D= -I= -X= -E -H -K -L -4 -6 -Q= "
        "--ca-certificate=@ --certificate=@ --private-key=@ --save-cookies=@ --load-cookies=@ --limit-rate= --show-progress --progress=",
        _NONE,
    ),
    "scp": Known(
        "recursive:-r -p -q -v -C -B -3 -R -T -O -4 -6 -A -s -D= -F=@ -i=@ -J= -c= -l= -o= -P= -S= -X= -f -t -d",
        _LIKELY,
    ),
    "rsync": Known(
        "-a,--archive -v,--verbose -r,--recursive -n,--dry-run -z,--compress -e,--rsh= --rsync-path= --delete "
        "--delete-after --delete-before --delete-excluded --exclude= --exclude-from=@ --include= --include-from=@ "
        "--files-from=@ -u,--update -l,--links -L,--copy-links -p,--perms -t,--times -g,--group -o,--owner -D -H -A,--acls "
        "-X,--xattrs -x -W -b,--backup --backup-dir=@ --suffix= -h -P --progress --partial -q,--quiet --bwlimit= --inplace "
        "--remove-source-files --password-file=@ --port= --server --sender --daemon --stats -S -c,--checksum -R,--relative -I "
        "-C -d -k -K -O -J -m -i -8 -y -E -f,--filter= -T,--temp-dir=@ -B= -4 -6 -M,--remote-option= --log-file=@ --chmod= --chown= --timeout= --address=",
        _LIKELY,
    ),
    "sftp": Known(
        "-a -A -C -f -N -p -q -r -v -4 -6 -b=@ -B= -c= -D= -F=@ -i=@ -J= -l= -o= -P= -R= -s= -S= -X=",
        _NONE,
    ),
    "nc": Known(
        "-e,--exec= -c,--sh-exec= -l,--listen -p,--source-port= -s,--source= -w,--wait= -u,--udp -v,--verbose -z -n,--nodns "
        "-k,--keep-open -U,--unixsock -x= -X= -q= -i= -4 -6 -C -d -D -h -r -t -N -o=@ -I= -O= -T= -V= -m= -g= -G= -P= -M= -b -S -F --ssl --broker --lua-exec=@",
        _NONE,
    ),
    "socat": Known("-d -D -u -U -v -x -b= -s -t= -T= -l= -L=@ -W=@ -4 -6 -h -V -ly -lf=@", _NONE),
    "telnet": Known("-4 -6 -8 -a -c -d -E -e= -K -L -l= -n=@ -r -b= -x -F -f -k= -S= -X=", _NONE),
    "ftp": Known("-4 -6 -A -a -d -e -g -i -n -p -v -P= -N=@ -s=@", _NONE),
    "tcpdump": Known(
        "-i,--interface= -w=@ -r=@ -c= -n -nn -v -vv -vvv -s,--snapshot-length= -A -X -XX -e -q -t -tt -z= -C= -G= -W= -Z= -F=@ -D -l -p -S -U -y= -B= -K -E= -T= -j= -M=",
        _NONE,
    ),
    "nmap": Known(
        "-p= -sS -sT -sU -sV -sn -Pn -O -A -T0 -T1 -T2 -T3 -T4 -T5 -oN=@ -oX=@ -oG=@ -oA=@ -iL=@ -v -vv -n -R -6 --script= --script-args= --interactive -F -r -D= -S= -e= -g= --top-ports= --open",
        _NONE,
    ),
    "dig": Known("-4 -6 -b= -c= -f=@ -k=@ -p= -q= -t= -x= -y=", _NONE),
    "ping": Known(
        "-c= -i= -I= -s= -t= -w= -W= -4 -6 -f -q -n -v -a -A -b -B -d -D -L -O -R -r -U -l= -m= -M= -p= -Q= -S= -T= -F= -N=",
        _NONE,
    ),
    "traceroute": Known("-n -I -T -U -p= -m= -w= -q= -4 -6 -i= -s= -f= -g= -A", _NONE),
    "ss": Known(
        "-t,--tcp -u,--udp -l,--listening -n,--numeric -p,--processes -a,--all -r -s,--summary -e -m -o -i -4 -6 -x -w -f= -A= -D=@ -F=@ -K,--kill -H -O -Z -N= -b -E -z -0 -S -W -M -V",
        _NONE,
    ),
    "netstat": Known(
        "-t -u -l -n -p -a -r -s -e -o -i -4 -6 -x -w -c -g -M -v -W -N -F -C -A=", _NONE
    ),
    "openssl": Known(
        "-in=@ -out=@ -d -e -base64,-a -A -k= -kfile=@ -pass= -passin= -passout= -nosalt -salt -pbkdf2 -iter= -connect= -key=@ -cert=@ -inkey=@ -CAfile=@ -keyout=@ -days= -newkey= -nodes -subj= -servername= -text -noout -x509 -new",
        _NONE,
    ),
    "ssh-keygen": Known(
        "-t= -b= -f=@ -N= -P= -C= -p -y -l -q -R= -F= -i -e -D=@ -s=@ -I= -n= -V= -z= -h -a= -A -B -c -E= -H -L -m= -M= -O= -Q -w= -Y= -Z= -k -K -o -v -g -u -U -r=",
        _NONE,
    ),
    "ssh-copy-id": Known("-f -n -s -i=?@ -o= -p= -F=@ -t=@ -x", _NONE),
    "ssh-add": Known(
        "-l -L -d -D -x -X -t= -c -k -q -v -K -h= -H=@ -s=@ -e=@ -E= -S=@ -T", Operands.PATHS
    ),
    "kubectl": Known(
        "-n,--namespace= -f,--filename=@ -o,--output= -l,--selector= -A,--all-namespaces -c,--container= -i,--stdin "
        "-t,--tty --context= --kubeconfig=@ --cluster= --user= --force --grace-period= --all -w,--watch -p,--patch= --type= "
        "-R,--recursive -k,--kustomize=@ --dry-run=? --replicas= --image= --tail= --since= -v= --token= -s,--server= --as= --cascade=? --now --timeout= --restart= --command --rm",
        _NONE,
        verb=True,
    ),
    "docker": Known(
        "-f,--force -a,--all -q,--quiet -v,--volume= --privileged -p,--publish= -e,--env= -i,--interactive -t,--tty -d,--detach "
        "--rm --name= --network,--net= -u,--user= -w,--workdir= --entrypoint= -H,--host= -c,--context= --mount= --pid= --cap-add= "
        "--security-opt= --device= -l= --volumes -n,--tail= --since= --until= --format= --filter= --no-trunc -s --env-file=@ --no-cache --pull=? --restart= --memory= --cpus= --link= -h,--hostname= --log-level= --volumes-from= --label= --add-host= --ipc= --userns= --platform= --gpus= --detach-keys= --config=@ --progress= --build-arg= --target= --tag=",
        _NONE,
        verb=True,
    ),
}

for _same, _as in pairs(
    "ncat=nc netcat=nc nc.openbsd=nc nc.traditional=nc podman=docker nerdctl=docker "
    "oc=kubectl ping6=ping"
).items():
    NETWORK[_same] = NETWORK[_as]
