"""TLS to a receiver: who it is is always verified, by an authority or by one pinned certificate."""

from __future__ import annotations

import hashlib
import hmac
import re
import ssl
from typing import Any

from watchgate.errors import ConfigurationError
from watchgate.siem.transport import Tls

_PIN = re.compile(r"[0-9a-f]{64}")


def client_context(tls: Tls) -> ssl.SSLContext:
    """What connections are made with; raises ConfigurationError for files that cannot be used."""
    context = _trusting(tls)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if tls.certificate is not None:
        try:
            # Without a password OpenSSL would ask for one on the terminal.
            context.load_cert_chain(tls.certificate, tls.key, password=b"")
        except (OSError, ValueError) as error:
            raise _unusable("certificate", f"{tls.certificate} with {tls.key}", error) from error
    if tls.pin is not None:
        _pin(context, tls.pin)
    return context


def _trusting(tls: Tls) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=None if tls.ca is None else str(tls.ca))
    except (OSError, ValueError) as error:
        raise _unusable("CA file", str(tls.ca), error) from error


def _unusable(what: str, path: str, error: Exception) -> ConfigurationError:
    reason = getattr(error, "strerror", None) or error
    return ConfigurationError(
        f"the {what} of a SIEM cannot be used: {path}: {reason}; it must be PEM, and a key without "
        "a passphrase",
        code="sink.tls",
    )


def _pin(context: ssl.SSLContext, pin: str) -> None:
    wanted = pin.replace(":", "").lower()
    if not _PIN.fullmatch(wanted):
        raise ConfigurationError(
            f"the pinned certificate of a SIEM is {pin!r}; it must be the SHA-256 of a certificate in "
            "hex, as `openssl x509 -noout -fingerprint -sha256` shows it",
            code="sink.tls",
        )

    class Pinned(ssl.SSLObject):
        """Knows its peer by one certificate; looks before anything is sent."""

        def do_handshake(self) -> None:
            super().do_handshake()
            shown = hashlib.sha256(self.getpeercert(binary_form=True) or b"").hexdigest()
            if not hmac.compare_digest(shown, wanted):
                raise ssl.SSLCertVerificationError(f"it has the SHA-256 {shown}")

    # The pin says more than a name and an authority would.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.sslobject_class = Pinned


def complaint(error: BaseException, where: str, tls: Tls) -> str | None:
    """Why TLS failed and what to do, if it is TLS that failed."""
    known: Any = error
    while known is not None and not isinstance(known, ssl.SSLError):
        known = known.__cause__ or known.__context__
    if known is None:
        return None
    if not isinstance(known, ssl.SSLCertVerificationError):
        return (
            f"{where} does not speak TLS with us: {known.reason or known}; is it the right port, and "
            "does it want a client certificate?"
        )
    reason = getattr(known, "verify_message", "") or str(known.args[-1] if known.args else known)
    if tls.pin is not None:
        return f"{where} does not show the pinned certificate: {reason}; if it was renewed, pin the new one"
    return (
        f"{where} has a certificate that is not trusted: {reason}; set `ca` to its authority, or "
        "`server_name` to the name in it"
    )
