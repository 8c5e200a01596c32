"""What administrators type all day, and what only looks dangerous: lines that no ready rule may match."""

from __future__ import annotations

ORDINARY = """\
ls -la /etc
cd /var/log && tail -n 100 syslog
df -h
du -sh /var/* | sort -h
free -m; uptime
ps aux | grep nginx
top -b -n 1 | head -20
systemctl status sshd
systemctl restart nginx
sudo systemctl reload apache2
sudo systemctl enable --now nginx
sudo systemctl daemon-reload
journalctl -u nginx --since '1 hour ago'
journalctl -xe
sudo journalctl --vacuum-time=14d
journalctl --vacuum-size=1G
tail -f /var/log/nginx/access.log
less /var/log/syslog
grep -r 'listen 80' /etc/nginx
grep -i error /var/log/app/*.log | wc -l
zgrep timeout /var/log/nginx/access.log.2.gz
find /var/log -name '*.gz' -mtime +30 -delete
find /srv -type f -size +100M
find . -name '*.pyc' -exec rm {} +
find / -name core -type f 2>/dev/null
rm file.txt
rm -rf build dist
rm -rf ./node_modules
rm -rf /tmp/build-1234
rm -rf "$TMPDIR/work"
rm -rf -- "$WORKDIR"
rm -f /var/run/app.pid
rm -rf /var/cache/apt/archives/*.deb
rm -rf /opt/app/releases/2024-01-01
rm -rf /etc/nginx/sites-enabled/default
rm /etc/nginx/sites-enabled/default
for f in *.log; do gzip "$f"; done
for d in /tmp/a /tmp/b; do rm -rf "$d"; done
ls *.tmp | xargs rm -f
cp nginx.conf /etc/nginx/nginx.conf
cp -a /srv/app /srv/app.bak
cp /etc/fstab /etc/fstab.bak
mv app.log app.log.1
ln -s /opt/app/current /srv/app
mkdir -p /srv/app/{logs,run}
chmod 755 deploy.sh
chmod -R u+rwX,go+rX /srv/www
chmod 600 ~/.ssh/id_ed25519
chmod 2775 /srv/shared
chmod +x deploy.sh
chown -R www-data:www-data /var/www/html
sudo chown app:app /opt/app/config.yaml
echo hello
echo 'rm -rf /' | wc -c
echo "do not run rm -rf /etc"
printf '%s\\n' "mkfs.ext4 /dev/sda" > notes.txt
# rm -rf /
ls # shutdown -h now
man mkfs
man 8 shutdown
apropos reboot
which mkfs.ext4 dd shred
type rm
git status
git log --oneline -20
git commit -m 'Block rm -rf / and DROP TABLE'
git push origin main
git push --force-with-lease origin feature/login
git pull --rebase && make test
git diff HEAD~1 -- src/policy
git checkout -b fix/shadow-password
grep shadow file
grep -rn 'curl | sh' docs/
grep -n authorized_keys /etc/ssh/sshd_config
awk -F: '{print $1}' /etc/passwd
awk '$9 == 500 {print $7}' access.log | sort | uniq -c | sort -rn | head
sed -n '10,20p' /etc/passwd
sed -i 's/8080/8081/' /srv/app/app.conf
cat /etc/passwd | cut -d: -f1
cat /etc/os-release
cat ~/.ssh/id_ed25519.pub
cat ~/.bashrc
cat <<'EOF' > /tmp/notes\\nrm -rf /\\nshutdown now\\nEOF
cat > /srv/app/app.conf <<EOF\\nport = 8080\\nuser = root\\nEOF
tar czf /backup/srv-$(date +%F).tgz /srv
tar xzf app.tgz -C /opt/app
rsync -a --delete /srv/www/ /backup/www/
rsync -az /srv/data/ backup1:/data/
scp app.tgz web2:/tmp/
scp web1:/var/log/app.log .
ssh web1 uptime
ssh -t web1 'sudo systemctl restart app'
ssh -L 5432:db1:5432 jump1
curl -sS https://example.com/health
curl -I http://localhost:8080
curl -X POST -H 'Content-Type: application/json' -d '{"a": 1}' http://localhost:8080/api
curl -fsSL https://example.com/app.tgz -o /tmp/app.tgz
wget -q https://example.com/x.tar.gz
ping -c 3 db1
dig +short example.com
nslookup db1.internal
traceroute 192.0.2.1
nc -zv db1 5432
nmap -sn 10.0.0.0/24
ss -tlnp
netstat -an | grep LISTEN
ip addr show
ip route
ip link set dev eth1 up
iptables -L -n -v
sudo iptables -A INPUT -p tcp --dport 443 -j ACCEPT
sudo ufw allow 443/tcp
nft list ruleset
tcpdump -i eth0 -c 100 port 53
sudo apt update && sudo apt -y upgrade
sudo apt-get install -y nginx
apt-get remove -y oldpackage
yum list installed | grep openssl
dnf install -y vim
rpm -qa | sort
dpkg -l | grep ssh
pip install -r requirements.txt
npm ci && npm run build
docker ps -a
docker logs -f web
docker run --rm -v $PWD:/src alpine ls /src
docker compose up -d
docker build -t app .
docker exec web ls /app
docker rm old-web
kubectl get pods -A
kubectl logs deploy/web -n shop
kubectl delete pod web-7c9 -n shop
kubectl apply -f deploy.yaml
kubectl rollout restart deploy/web
helm upgrade web ./chart
terraform plan -out=plan
aws s3 ls
psql -c 'select count(*) from orders'
psql -d shop -c "select * from pg_stat_activity"
mysql -e 'show processlist'
pg_dump shop > /backup/shop.sql
mysqldump shop | gzip > /backup/shop.sql.gz
redis-cli INFO memory
sudo -u postgres psql -c 'vacuum analyze'
sudo -l
id; whoami; groups
who; w; last | head
passwd
passwd -S alice
crontab -l
history | tail -20
export EDITOR=vim
export HISTSIZE=50000
export PATH=$PATH:/opt/app/bin
alias ll='ls -l'
PS1='\\u@\\h:\\w\\$ '
source ~/.bashrc
. ./venv/bin/activate
kill 1234
kill -9 $(cat /run/app.pid)
kill -HUP 1
pkill -f gunicorn
nohup ./server > server.log 2>&1 &
make -j4 2>&1 | tee build.log
make install DESTDIR=/tmp/root > "$LOG" 2>&1
python3 manage.py migrate
python3 -c 'import sys; print(sys.version)'
python3 -m venv .venv
openssl x509 -in cert.pem -noout -dates
openssl s_client -connect example.com:443 </dev/null
lsblk; blkid; mount | column -t
mount /dev/sdb1 /mnt/data
umount /mnt/data
fdisk -l
lvs && vgs && pvs
lvextend -L +10G /dev/vg0/data
resize2fs /dev/vg0/data
dd if=/dev/zero of=/tmp/testfile bs=1M count=100
dd if=/dev/sda1 of=/backup/sda1.img
stat /etc/shadow
ls -l /etc/shadow /etc/sudoers
getent passwd alice
base64 -d token.b64 | jq .
echo aGVsbG8= | base64 -d
date; cal
date -d '2 days ago' +%F
sleep 5 && echo done
watch -n 5 'df -h'
screen -ls
tmux ls
exit
logout
"""

NOT_KNOWN = """\
rm -f $FILE
rm -rf "$DIR"
rm -r "$RELEASE/old"
cp $A $B
mv "$A" "$B"
ls $DIR
cat $FILE
cat "$1" | sort
grep $WORD $FILE
find $DIR -name '*.tmp' -delete
tar czf $OUT $DIR
chmod $MODE $FILE
chmod -R 755 $DIR
chown $OWNER: "$DIR"
ln -sfn "$RELEASE" current
touch "$STAMP"
tee "$OUT" < in
echo x > "$OUT"
echo x >> $LOG 2>&1
dd if=$A of="$OUT" bs=1M
mount $DEV /mnt
kill $PID
kill -9 "$PID"
pkill -f $NAME
systemctl restart $SERVICE
systemctl status "$SERVICE"
service "$SERVICE" restart
journalctl -u $UNIT
apt-get install -y $PACKAGES
docker rm -f $ID
docker run --rm $IMAGE
docker exec $ID ls
kubectl delete pod $POD
kubectl -n $NS get pods
git push origin $BRANCH
git commit -m "$MESSAGE"
iptables -A INPUT -s $IP -j DROP
ip link set $IF up
psql -c "$QUERY"
mysql -e "$QUERY" shop
curl -sS "$URL"
wget -q $URL
ssh $HOST uptime
scp $FILE $HOST:
rsync -a $A $B
lvs $VG
zfs list $DATASET
parted $DEV print
useradd_if_missing $NAME
sed -i "s/a/$B/" $FILE
awk "{print \\$$N}" $FILE
tail -f $LOG
date +$FORMAT
wipefs $DEV
sgdisk -p $DEV
mdadm --detail $ARRAY
cryptsetup status $NAME
btrfs subvolume show $DIR
dmsetup info $NAME
ufw allow $PORT
mysqladmin -u $NAME status
terraform plan $ARGS
aws s3 ls $BUCKET
gcloud compute instances describe $NAME
auditctl -w $FILE
nmap $HOST
install $A $B
getent passwd $NAME
iptables -L $CHAIN
usermod -s /bin/bash $NAME
stty $SETTINGS
touch $STAMP
setcap $CAP $FILE
crontab -l -u $NAME
chage -l $NAME
passwd -S $NAME
gzip $FILE
openssl x509 -in $CERT -noout
python3 $SCRIPT
bash $SCRIPT
find $DIR -type f
ssh $HOST
$EDITOR notes.txt
"$JAVA_HOME"/bin/java -jar app.jar
"""

HALF = """\
echo "unfinished
cat <<EOF
if true; then
for i in 1 2 3; do
case $x in
echo $(
ls |
ls &&
(
"""

ON_DEVICES = """\
show version
show running-config
show run | include interface
show ip interface brief
show interfaces status
show logging
show users
show clock
configure terminal
conf t
interface GigabitEthernet0/1
description uplink to core, reload after upgrade
no shutdown
switchport access vlan 10
ip route 0.0.0.0 0.0.0.0 10.0.0.1
exit
end
write memory
wr
copy running-config startup-config
ping 10.0.0.1
traceroute 10.0.0.1
show bgp summary
show configuration | display set
set interfaces ge-0/0/1 description x
commit confirmed 5
commit and-quit
display current-configuration
display version
display interface brief
system-view
save
quit
undo shutdown
terminal length 0
undebug all
clear counters
"""

IN_PROGRAMS = """\
select * from orders where id = 7;
delete from orders where id = 7;
insert into notes values ('drop table x');
\\d orders
show tables;
explain select 1;
"""


def ordinary() -> list[str]:
    """Lines of shells; `\\n` in one is a line break."""
    return [line.replace("\\n", "\n") if "EOF" in line else line for line in ORDINARY.splitlines()]


REWRITTEN = r"""rm -rf /
rm -r -f /
rm -fr --no-preserve-root /
rm --recursive --force /
rm --rec --fo /etc
rm / -rf
\rm -rf /
'rm' -rf /
r""m -rf /
r\m -r\f /
$'\x72m' -rf /
/bin/rm -rf /
/usr/../bin/rm -rf /
command rm -rf /
builtin command rm -rf /
exec rm -rf /
env rm -rf /
env -i A=b rm -rf /
nice -n 5 rm -rf /
nohup rm -rf / &
timeout 5 rm -rf /
setsid rm -rf /
stdbuf -o0 rm -rf /
sudo rm -rf /
sudo -u root -- rm -rf /
sudo -E env rm -rf /
doas rm -rf /
su -c 'rm -rf /'
su - root -c "rm -rf /"
sh -c 'rm -rf /'
bash -c "bash -c 'rm -rf /'"
eval 'rm -rf /'
eval "rm" "-rf" "/"
x=rm; $x -rf /
x=-rf; rm $x /
d=/; rm -rf "$d"
a=r b=m; $a$b -rf /
f() { rm -rf "$1"; }; f /
alias x='rm -rf /'; x
{rm,-rf,/}
if true; then rm -rf /; fi
for d in / /tmp; do rm -rf $d; done
while :; do rm -rf /; done
(cd / && rm -rf etc usr)
cd /; rm -rf ./etc
pushd /; rm -rf usr
rm -rf //
rm -rf /.
rm -rf /tmp/../
rm -rf /etc/../usr/./lib
rm -rf /e??
rm -rf /{etc,usr}
rm -rf /*
echo / | xargs rm -rf
echo / | xargs -I{} rm -rf {}
printf '%s' /etc | xargs -0 rm -rf
find / -delete
find /etc -exec rm -rf {} +
find / -maxdepth 0 -exec rm -rf {} \;
echo 'rm -rf /' | sh
printf 'rm -rf /\n' | bash
bash <<< 'rm -rf /'
bash < <(echo rm -rf /)
source <(echo 'rm -rf /')
echo cm0gLXJmIC8= | base64 -d | sh
echo cm0gLXJmIC8K | base64 --decode | bash
echo 726d202d7266202f | xxd -r -p | sh
$(echo rm) -rf /
`echo rm` -rf /
$(which rm) -rf /
rm${IFS}-rf${IFS}/
busybox rm -rf /
docker exec web rm -rf /
ssh web1 rm -rf /
python3 -c 'import os; os.system("rm -rf /")'
perl -e 'system("rm -rf /")'
awk 'BEGIN{system("rm -rf /")}'
watch -n 1 'rm -rf /'
parallel rm -rf ::: /
true && rm -rf / || true
ls; rm -rf / # tidy up
trap 'rm -rf /' EXIT
coproc rm -rf /
! rm -rf /
time rm -rf /
mkfs -t ext4 /dev/sda
/sbin/mkfs.xfs -f "/dev/sda1"
dd of=/dev/sda if=/dev/zero
sudo sh -c 'cat x > /dev/sda'
x=/dev/sda; cat img > $x
unset HIST''FILE
export HISTFILE=/dev/nu''ll
cd; rm .bash_history
cat /etc/sha''dow
cat /etc/./shadow
cat /etc//shadow
cd /etc; head shadow
chmod u+s,g-w /bin/bash
chmod 0004755 /bin/bash
"""
"""What an operator may write for the same; each is held up."""
