"""Where the state of one iotpanel lives: every path below ``$IOTPANEL_HOME``, and its secrets."""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

PRIVATE_DIRS = ("run", "logs", "secrets", "broker")


@dataclass(frozen=True)
class Home:
    """The folder that holds all state; two homes never share anything but fetched packages."""

    root: Path

    @property
    def run(self) -> Path:
        return self.root / "run"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def broker(self) -> Path:
        """The broker's generated files: configuration, password files and access rules."""
        return self.root / "broker"

    @property
    def tls(self) -> Path:
        """The broker's certificate and our own root, once `make certificates` has made them."""
        return self.root / "tls"

    @property
    def env_file(self) -> Path:
        return self.root / "env"

    @property
    def stamps(self) -> Path:
        """What finished steps have seen, so that an unchanged step is not done again."""
        return self.root / "stamps"

    @property
    def ports_file(self) -> Path:
        """The loopback ports that this home uses from start to start."""
        return self.root / "ports.json"

    def make(self) -> None:
        """Create the folders, readable by their owner only."""
        self.root.mkdir(parents=True, exist_ok=True)
        for name in PRIVATE_DIRS:
            folder = self.root / name
            folder.mkdir(exist_ok=True)
            folder.chmod(0o700)

    def secret_file(self, name: str) -> Path:
        """Path of a secret that is made on first use (384 bits, URL-safe) and kept for ever."""
        path = self.root / "secrets" / name
        if not path.exists():
            write_private(path, secrets.token_urlsafe(48) + "\n")
        return path

    def secret(self, name: str) -> str:
        return self.secret_file(name).read_text().strip()

    def pid_file(self, part: str) -> Path:
        return self.run / f"{part}.pid"

    def log_file(self, part: str) -> Path:
        return self.logs / f"{part}.log"


def write_private(path: Path, text: str) -> None:
    """Write a file of mode 0600 in one step, so that no reader ever sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
