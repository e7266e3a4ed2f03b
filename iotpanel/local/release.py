"""Which packages this machine can unpack: its distribution, its own mirror, and the names to ask for."""

import platform
import subprocess
from dataclasses import dataclass
from pathlib import Path

from iotpanel.local.say import Trouble

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
SERVERS = ("mosquitto", "mosquitto-clients", "patchelf")
DEBIAN_SERVERS = (*SERVERS, "postgresql-17", "postgresql-client-17", "postgresql-17-timescaledb", "valkey-server")
UBUNTU_SERVERS = (*SERVERS, "postgresql", "postgresql-client", "redis-server")
BROWSER = ("chromium-headless-shell", "curl", "fonts-dejavu-core", "fonts-wqy-microhei", "libatomic1")
HINT = "servers are unpacked on Debian 12, 13 and Ubuntu only; elsewhere set DATABASE_URL, REDIS_URL and MQTT_URL to your own"


@dataclass(frozen=True)
class Source:
    """One line of apt's sources, and whether the machine's own configuration is used instead."""

    lines: tuple[str, ...]
    codename: str


def os_release() -> dict[str, str]:
    """The fields of os-release, without their quotes."""
    lines = Path("/etc/os-release").read_text().splitlines()
    return {key: value.strip('"') for key, _, value in (line.partition("=") for line in lines) if key}


def is_debian() -> bool:
    return os_release().get("ID") == "debian"


def server_packages() -> tuple[str, ...]:
    """Names of the packages that hold the servers; raises Trouble on a distribution without apt."""
    system = os_release()
    if system.get("ID") == "debian" and system.get("VERSION_ID") in {"12", "13"}:
        return DEBIAN_SERVERS
    if system.get("ID") == "ubuntu":
        return UBUNTU_SERVERS
    raise Trouble(f"this is {system.get('PRETTY_NAME', platform.system())}: {HINT}")


def mirrors() -> list[tuple[str, str]]:
    """(address, suite) of every package index in the machine's own apt configuration."""
    ask = ["apt-get", "indextargets", "--format", "$(SITE) $(RELEASE) $(COMPONENT)", "Created-By: Packages"]
    try:
        answer = subprocess.run(ask, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise Trouble(f"apt-get cannot be asked for its mirror: {HINT}") from error
    rows = [line.split() for line in answer.splitlines()]
    return [(row[0], row[1]) for row in rows if len(row) == 3 and row[2] == "main"]


def debian_13(keyring: Path) -> Source:
    """Debian 13 on the mirror that the machine uses for its own release."""
    own = os_release().get("VERSION_CODENAME", "")
    found = mirrors()
    lines = [f"deb [signed-by={keyring}] {site} trixie{suite.removeprefix(own)} main" for site, suite in found if suite.startswith(own)]
    if not lines:
        raise Trouble("apt knows no mirror of Debian: add one to /etc/apt/sources.list.d, or set DATABASE_URL, REDIS_URL and MQTT_URL")
    return Source(lines=tuple(dict.fromkeys(lines)), codename="trixie")


def machine_own() -> Source:
    """The machine's own release, as its apt is configured."""
    return Source(lines=(), codename=os_release().get("VERSION_CODENAME", "own"))
