"""Fetch packages with the machine's own apt, in private folders: no root, no change to the system."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from iotpanel.local.release import KEYRING, Source, debian_13, machine_own
from iotpanel.local.say import Trouble, say

CHUNK = 12
"""Packages fetched between two progress lines."""
URI_LINE = re.compile(r"^'(?P<uri>[^']+)' (?P<file>\S+) (?P<size>\d+)", re.MULTILINE)


@dataclass(frozen=True)
class Deb:
    """A package file that apt would fetch: ``postgresql-17_17.5-1_amd64.deb``, its exact version, its bytes."""

    file: str
    size: int

    @property
    def name(self) -> str:
        return self.file.split("_")[0]

    @property
    def request(self) -> str:
        """The package and exact version in apt-get's words."""
        name, version, _ = self.file.split("_")
        return f"{name}={unquote(version)}"


class Apt:
    """apt-get with state of its own below ``root`` and an empty list of installed packages."""

    def __init__(self, root: Path, source: Source) -> None:
        self.root = root / source.codename
        for folder in ("lists/partial", "archives/partial", "etc"):
            (self.root / folder).mkdir(parents=True, exist_ok=True)
        (self.root / "status").write_text("")
        if source.lines:
            (self.root / "etc/sources.list").write_text("\n".join(source.lines) + "\n")
        (self.root / "apt.conf").write_text(self._configuration(own_sources=bool(source.lines)))

    def _configuration(self, *, own_sources: bool) -> str:
        where = {
            "Dir::State": self.root,
            "Dir::State::Lists": self.root / "lists",
            "Dir::State::status": self.root / "status",
            "Dir::Cache": self.root,
            "Dir::Cache::Archives": self.root / "archives",
            "APT::Install-Recommends": "false",
            "APT::Sandbox::User": "root",
            "Acquire::Languages": "none",
            "Acquire::Retries": "3",
            "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled": "false",
            "Acquire::IndexTargets::deb::CNF::DefaultEnabled": "false",
        }
        if own_sources:
            where |= {"Dir::Etc::SourceList": self.root / "etc/sources.list", "Dir::Etc::SourceParts": "-"}
            where |= {"Dir::Etc::Preferences": "-", "Dir::Etc::PreferencesParts": "-"}
        return "".join(f'{key} "{value}";\n' for key, value in where.items())

    def run(self, *args: str, cwd: Path | None = None) -> str:
        """Run apt-get and return its output; raises Trouble with apt's first complaint."""
        env = os.environ | {"APT_CONFIG": str(self.root / "apt.conf"), "LC_ALL": "C"}
        done = subprocess.run(["apt-get", "-q", *args], capture_output=True, text=True, env=env, cwd=cwd, check=False)
        complaints = [line for line in (done.stdout + done.stderr).splitlines() if line.startswith(("E:", "Err:"))]
        if done.returncode or complaints:
            raise Trouble(f"apt-get {args[0]} failed: {(complaints or ['unknown reason'])[0]}")
        return done.stdout

    def update(self) -> None:
        """Read the mirror's index; an index that cannot be read is Trouble, not a warning."""
        self.run("update", "-o", "APT::Update::Error-Mode=any")

    def closure(self, names: Sequence[str], leave_out: re.Pattern[str]) -> list[Deb]:
        """The packages and everything they depend on, but for what ``leave_out`` matches by name."""
        output = self.run("install", "--print-uris", "-qq", "--yes", *names)
        debs = [Deb(match["file"], int(match["size"])) for match in URI_LINE.finditer(output)]
        return [deb for deb in debs if not leave_out.fullmatch(deb.name)]

    def download(self, debs: Sequence[Deb], into: Path) -> None:
        """Fetch what ``into`` lacks; apt checks each file against the signed index."""
        into.mkdir(parents=True, exist_ok=True)
        missing = [deb for deb in debs if not is_there(deb, into)]
        for start in range(0, len(missing), CHUNK):
            say(f"  fetching packages: {start} of {len(missing)} ({sum(deb.size for deb in missing[start:]) // 1_000_000} MB to go)")
            self.run("download", *(deb.request for deb in missing[start : start + CHUNK]), cwd=into)


def is_there(deb: Deb, folder: Path) -> bool:
    path = folder / deb.file
    return path.exists() and path.stat().st_size == deb.size


def debian_apt(root: Path) -> Apt:
    """apt for Debian 13, with a keyring that knows it: the machine's, or the one its own mirror carries by now."""
    apt = Apt(root, debian_13(KEYRING))
    try:
        apt.update()
    except Trouble:
        say("  the machine's keyring is old: fetching the present one")
        apt = Apt(root, debian_13(fetch_keyring(root)))
        apt.update()
    return apt


def own_apt(root: Path) -> Apt:
    """apt for the machine's own release."""
    apt = Apt(root, machine_own())
    apt.update()
    return apt


def fetch_keyring(root: Path) -> Path:
    """Debian's present keyring, from the machine's own release, whose keys it trusts already."""
    own = own_apt(root)
    shutil.rmtree(root / "keyring", ignore_errors=True)
    (root / "keyring").mkdir(parents=True)
    own.run("download", "debian-archive-keyring", cwd=root / "keyring")
    unpack(root / "keyring", (file.name for file in (root / "keyring").glob("*.deb")), root / "keyring/tree")
    return root / "keyring/tree" / KEYRING.relative_to("/")


def unpack(packages: Path, files: Iterable[str], tree: Path) -> None:
    """Unpack the package files into one folder tree."""
    tree.mkdir(parents=True, exist_ok=True)
    for file in files:
        subprocess.run(["dpkg", "-x", str(packages / file), str(tree)], check=True)
