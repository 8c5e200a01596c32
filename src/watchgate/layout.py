"""Where things lie in a data directory."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Paths:
    """The files and directories of one gateway; recordings, spool and auditors can be set elsewhere."""

    root: Path
    recordings: Path
    spool: Path
    auditors: Path

    @classmethod
    def under(cls, root: Path) -> Paths:
        """The layout that `watchgate init` makes in *root*."""
        return cls(root, root / "recordings", root / "spool", root / "keys/auditors.txt")

    @property
    def settings(self) -> Path:
        return self.root / "watchgate.toml"

    @property
    def catalog(self) -> Path:
        return self.root / "catalog.db"

    @property
    def keys(self) -> Path:
        return self.root / "keys"

    @property
    def host_key(self) -> Path:
        """The SSH host key that the gateway shows to clients."""
        return self.keys / "host_ed25519"

    @property
    def authority_key(self) -> Path:
        """The gateway's CA: certifies hosts to clients, and logins to targets."""
        return self.keys / "ca_ed25519"

    @property
    def evidence_key(self) -> Path:
        """The private key that signs the headers of recordings."""
        return self.keys / "evidence_ed25519.pem"

    @property
    def evidence_public(self) -> Path:
        """All that offline verification needs."""
        return self.keys / "evidence.pub"

    @property
    def vault_key(self) -> Path:
        return self.keys / "vault.key"

    @property
    def auditor_key(self) -> Path:
        """The embedded default's private auditor key; it should be moved off this machine."""
        return self.keys / "auditor.key"

    @property
    def handover(self) -> Path:
        """Events on their way from the recordings into the catalog."""
        return self.root / "handover"

    @property
    def run(self) -> Path:
        return self.root / "run"

    @property
    def control_socket(self) -> Path:
        return self.run / "control.sock"

    @property
    def lock(self) -> Path:
        """Held by the one process that serves this data directory."""
        return self.run / "lock"

    @property
    def directories(self) -> tuple[Path, ...]:
        """What `watchgate init` makes, each for its owner alone."""
        return (self.root, self.keys, self.recordings, self.spool, self.run)


def default_data_directory() -> Path:
    """Where the data lies when nobody says: by `WATCHGATE_DATA`, else by who asks."""
    if chosen := os.environ.get("WATCHGATE_DATA"):
        return Path(chosen)
    if os.geteuid() == 0:
        return Path("/var/lib/watchgate")
    share = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local/share")
    return Path(share) / "watchgate"
