"""Real receivers for the tests of transports and of delivery: rsyslog and syslog-ng, on free ports.

Each can be killed with -9 and started again on the same ports, and says what it has written down. rsyslog
writes a message before it acknowledges it (its queue is `direct`), so that what RELP acknowledged is there.
"""

from __future__ import annotations

import contextlib
import datetime
import functools
import ipaddress
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bench.real_sshd import free_port
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

ROOT = Path(__file__).resolve().parents[2]
UNPACKED = ROOT / ".packages" / "syslog-ng"
START_SECONDS = 20.0


class ReceiverError(RuntimeError):
    """A receiver is missing or did not start; the message ends with what it said."""


@dataclass(frozen=True, slots=True)
class Received:
    """One message as a receiver understood it."""

    host: str
    app: str
    message_id: str
    structured: str
    priority: int
    at: str
    text: str


# --- certificates --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Certificates:
    """An authority, a server's certificate for 127.0.0.1 and `localhost`, and a client's."""

    directory: Path

    @property
    def ca(self) -> Path:
        return self.directory / "ca.pem"

    @property
    def server(self) -> Path:
        return self.directory / "server.pem"

    @property
    def server_key(self) -> Path:
        return self.directory / "server.key"

    @property
    def client(self) -> Path:
        return self.directory / "client.pem"

    @property
    def client_key(self) -> Path:
        return self.directory / "client.key"

    def pin(self) -> str:
        """SHA-256 of the server's certificate in hex."""
        certificate = x509.load_pem_x509_certificate(self.server.read_bytes())
        return certificate.fingerprint(hashes.SHA256()).hex()


def certificates(directory: Path, *names: str) -> Certificates:
    """Fresh ones; *names* are the server's instead of `localhost` and 127.0.0.1."""
    directory.mkdir(parents=True, exist_ok=True)
    authority, authority_key = _certificate("Watchgate test authority", None, ())
    _write(directory, "ca", authority, None)
    _write(directory, "server", *_certificate("server", (authority, authority_key), names))
    _write(directory, "client", *_certificate("client", (authority, authority_key), ()))
    return Certificates(directory)


Issuer = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]


def _certificate(name: str, issuer: Issuer | None, names: tuple[str, ...]) -> Issuer:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    alternatives: list[x509.GeneralName] = [x509.DNSName(one) for one in names or ("localhost",)]
    if not names:
        alternatives.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[0].subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if issuer is None:
        builder = builder.add_extension(_signs_certificates(), critical=True)
    else:
        usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        of = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer[1].public_key())
        builder = (
            builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
            .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
            .add_extension(of, critical=False)
        )
    return builder.sign(issuer[1] if issuer else key, hashes.SHA256()), key


def _signs_certificates() -> x509.KeyUsage:
    nothing_else = dict.fromkeys(
        (
            *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment"),
            *("key_agreement", "encipher_only", "decipher_only"),
        ),
        False,
    )
    return x509.KeyUsage(**nothing_else, key_cert_sign=True, crl_sign=True)


def _write(
    directory: Path,
    name: str,
    certificate: x509.Certificate,
    key: ec.EllipticCurvePrivateKey | None,
) -> None:
    (directory / f"{name}.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    if key is not None:
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        (directory / f"{name}.key").write_bytes(private)


# --- the servers ---------------------------------------------------------------------------------


@dataclass(slots=True)
class Receiver:
    """A program that receives syslog, with its own directory, ports and certificates."""

    directory: Path
    command: list[str]
    ports: dict[str, int]
    certificates: Certificates
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def output(self) -> Path:
        """What it received, a line each."""
        return self.directory / "received.tsv"

    def url(self, scheme: str) -> str:
        """`udp`, `tcp`, `tls`, `relp` or `relps` on 127.0.0.1."""
        return f"{scheme}://127.0.0.1:{self.ports[scheme]}"

    def start(self) -> None:
        """Start it, again after `kill`; returns when its stream ports answer."""
        with (self.directory / "said.log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=os.environ | self.environment,
                cwd=self.directory,
            )
        for scheme, port in self.ports.items():
            if scheme != "udp":
                self._wait_for(functools.partial(_answers, port), f"port {port} ({scheme})")

    def kill(self) -> None:
        """End it as a crash does: -9."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def stop(self) -> None:
        """End it in order; what it holds is written."""
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()
            self.process = None

    def received(self) -> list[Received]:
        """What it has written down so far; a line that a crash tore is left out."""
        try:
            octets = self.output.read_bytes()
        except FileNotFoundError:
            return []
        lines = octets.decode("utf-8", "surrogateescape").split("\n")[:-1]
        return [_received(line) for line in lines if line.count("\t") >= 6]

    def wait_for(self, count: int, seconds: float = START_SECONDS) -> list[Received]:
        """What it received, as soon as that is *count* messages; raises ReceiverError."""
        self._wait_for(lambda: self._lines() >= count, f"{count} messages", seconds)
        return self.received()

    def _lines(self) -> int:
        return self.output.read_bytes().count(b"\n") if self.output.exists() else 0

    def _wait_for(
        self, holds: Callable[[], bool], what: str, seconds: float = START_SECONDS
    ) -> None:
        end = time.monotonic() + seconds
        while not holds():
            dead = self.process is not None and self.process.poll() is not None
            if dead or time.monotonic() > end:
                said = (self.directory / "said.log").read_text(errors="replace")[-2000:]
                raise ReceiverError(f"{self.command[0]}: no {what}; {self._lines()} lines\n{said}")
            time.sleep(0.02)


def _received(line: str) -> Received:
    host, app, message_id, structured, priority, at, text = line.split("\t", 6)
    return Received(host, app, message_id, structured, int(priority), at, text)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


RSYSLOG = """\
global(workDirectory="{directory}" maxMessageSize="64k" defaultNetstreamDriverCAFile="{ca}"
       defaultNetstreamDriverCertFile="{server}" defaultNetstreamDriverKeyFile="{server_key}")
module(load="imudp") module(load="imrelp" tls.tlslib="openssl") module(load="imtcp" streamDriver.name="ossl" maxSessions="500")
template(name="row" type="list") {{
    property(name="hostname") constant(value="\\t") property(name="app-name") constant(value="\\t")
    property(name="msgid") constant(value="\\t") property(name="structured-data") constant(value="\\t")
    property(name="pri") constant(value="\\t") property(name="timestamp" dateformat="rfc3339")
    constant(value="\\t") property(name="msg") constant(value="\\n") }}
ruleset(name="keep" queue.type="direct") {{
    action(type="omfile" file="{directory}/received.tsv" template="row" asyncWriting="off" flushOnTXEnd="on") }}
input(type="imudp" address="127.0.0.1" port="{udp}" ruleset="keep" rcvbufSize="4m")
input(type="imtcp" address="127.0.0.1" port="{tcp}" ruleset="keep" streamDriver.mode="0")
input(type="imtcp" address="127.0.0.1" port="{tls}" ruleset="keep" streamDriver.mode="1" streamDriver.authMode="anon")
input(type="imrelp" address="127.0.0.1" port="{relp}" ruleset="keep" maxDataSize="64k")
input(type="imrelp" address="127.0.0.1" port="{relps}" ruleset="keep" maxDataSize="64k" tls="on"
      tls.caCert="{ca}" tls.myCert="{server}" tls.myPrivKey="{server_key}" tls.authMode="certvalid")
"""

SYSLOG_NG = """\
@version: 3.38
options {{ keep-hostname(yes); use-dns(no); dns-cache(no); log-msg-size(65536); flush-lines(1); stats-freq(0); frac-digits(6);
          trim-large-messages(no); }};
source all {{
    syslog(ip(127.0.0.1) port({udp}) transport("udp") so-rcvbuf(4194304));
    syslog(ip(127.0.0.1) port({tcp}) transport("tcp") max-connections(100));
    syslog(ip(127.0.0.1) port({tls}) transport("tls") max-connections(100)
           tls(key-file("{server_key}") cert-file("{server}") ca-file("{ca}") peer-verify(required-trusted)));
}};
destination keep {{ file("{directory}/received.tsv"
    template("${{HOST}}\\t${{PROGRAM}}\\t${{MSGID}}\\t${{SDATA}}\\t${{PRI}}\\t${{ISODATE}}\\t${{MSG}}\\n")); }};
log {{ source(all); destination(keep); }};
"""


def _find(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def _plugin(name: str) -> bool:
    places = ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib", "/usr/lib64")
    return any(Path(place, "rsyslog", f"{name}.so").exists() for place in places)


def rsyslog_missing() -> str:
    """What of rsyslog is not installed; empty when all is there."""
    if _find("rsyslogd") is None:
        return "rsyslog"
    plugins = {"imrelp": "rsyslog-relp", "lmnsd_ossl": "rsyslog-openssl"}
    return " ".join(package for plugin, package in plugins.items() if not _plugin(plugin))


def syslog_ng_program() -> str | None:
    """syslog-ng: the system's, or the one that tools/syslog_ng.sh unpacked."""
    return shutil.which("syslog-ng", path=f"{UNPACKED}/usr/sbin") or _find("syslog-ng")


def _ports(*schemes: str) -> dict[str, int]:
    ports: dict[str, int] = {}
    while len(ports) < len(schemes):
        if (port := free_port()) not in ports.values():
            ports[schemes[len(ports)]] = port
    return ports


@contextlib.contextmanager
def rsyslog(directory: Path) -> Iterator[Receiver]:
    """A running rsyslogd with UDP, TCP, TLS, RELP and RELP over TLS (which wants our certificate)."""
    directory.mkdir(parents=True, exist_ok=True)
    program = _find("rsyslogd")
    if program is None:
        raise ReceiverError("rsyslogd is not installed (make packages)")
    made = certificates(directory / "tls")
    ports = _ports("udp", "tcp", "tls", "relp", "relps")
    configuration = directory / "rsyslog.conf"
    configuration.write_text(_filled(RSYSLOG, directory, made, ports))
    pid = str(directory / "rsyslog.pid")
    command = [program, "-n", "-C", "-f", str(configuration), "-i", pid]
    yield from _running(Receiver(directory, command, ports, made))


@contextlib.contextmanager
def syslog_ng(directory: Path) -> Iterator[Receiver]:
    """A running syslog-ng with UDP, TCP and TLS (which wants our certificate)."""
    directory.mkdir(parents=True, exist_ok=True)
    program = syslog_ng_program()
    if program is None:
        raise ReceiverError("syslog-ng is not there (make packages)")
    made = certificates(directory / "tls")
    ports = _ports("udp", "tcp", "tls")
    configuration = directory / "syslog-ng.conf"
    configuration.write_text(_filled(SYSLOG_NG, directory, made, ports))
    command = [program, "-F", "-f", str(configuration), "--no-caps"]
    command += [f"--persist-file={directory}/persist", f"--pidfile={directory}/pid"]
    command += [f"--control={directory}/control"]
    environment = {}
    if program.startswith(str(UNPACKED)):
        modules = next(UNPACKED.glob("usr/lib/syslog-ng/*/"))
        libraries = [modules.parent, *UNPACKED.glob("usr/lib/*-linux-gnu")]
        libraries += UNPACKED.glob("lib/*-linux-gnu")
        environment["LD_LIBRARY_PATH"] = ":".join(map(str, libraries))
        command.append(f"--module-path={modules}")
    yield from _running(Receiver(directory, command, ports, made, environment))


def _filled(template: str, directory: Path, made: Certificates, ports: dict[str, int]) -> str:
    return template.format(
        directory=directory, ca=made.ca, server=made.server, server_key=made.server_key, **ports
    )


def _running(receiver: Receiver) -> Iterator[Receiver]:
    try:
        receiver.start()
        yield receiver
    finally:
        receiver.stop()
