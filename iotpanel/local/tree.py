"""The unpacked servers: made once, used by every start, remade when its packages or its place change."""

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from iotpanel.local import elf
from iotpanel.local.apt import Deb, debian_apt, is_there, own_apt, unpack
from iotpanel.local.release import is_debian, server_packages
from iotpanel.local.say import Trouble, say

LEAVE_OUT = re.compile(
    r"perl.*|.*-perl|libperl.*|locales|libc-l10n|libc-bin|libllvm.*|libz3-.*|debconf|adduser|passwd|login\.defs|base-passwd|init-system-helpers"
    r"|procps|sysvinit-utils|ssl-cert|openssl|netbase|readline-common|sensible-utils|ucf|postgresql-common.*|postgresql-client-common|libsemanage.*"
    r"|libsepol.*|libpam-modules.*|libpam-runtime|libdebconfclient0|gcc-.*-base|tzdata|libgdbm.*|libaudit-common|logrotate|lsb-base|media-types"
)
"""Packages that the servers only need to be installed, not to run; LLVM because ``jit`` is off."""
NOT_NEEDED = ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/lib/postgresql/*/lib/bitcode")
SYSTEM_DIRS = ("usr/lib/postgresql/*/bin", "usr/bin", "usr/sbin", "usr/local/bin", "usr/local/sbin", "bin")


@dataclass(frozen=True)
class Tree:
    """A folder of unpacked programs; ``/`` stands for those that are installed on the machine."""

    root: Path

    def find(self, *names: str) -> Path | None:
        """The first of the programs that is here; of several versions the newest."""
        for name in names:
            found = sorted((path for folder in SYSTEM_DIRS for path in self.root.glob(f"{folder}/{name}")), key=version_of)
            if found:
                return found[-1]
        return None

    def program(self, *names: str) -> Path:
        """As ``find``, but raises Trouble where none is here."""
        path = self.find(*names)
        if path is None:
            raise Trouble(f"no {' or '.join(names)} below {self.root}: remove that folder, so that the next start unpacks it again")
        return path

    @property
    def has_timescale(self) -> bool:
        return any(self.root.glob("usr/lib/postgresql/*/lib/timescaledb.so"))

    @property
    def path(self) -> str:
        """The folders of its programs, as ``PATH`` wants them."""
        return ":".join(str(folder) for pattern in SYSTEM_DIRS for folder in self.root.glob(pattern))


def version_of(path: Path) -> tuple[int, ...]:
    """17 of ``/usr/lib/postgresql/17/bin/psql``, so that 17 sorts above 9."""
    return tuple(int(part) for part in path.parts if part.isdigit())


def server_tree(root: Path, packages: Path) -> Tree:
    """The servers, unpacked below ``root`` from ``packages``; fetched where they are missing, else nothing is done."""
    names = server_packages()
    debs = listed(packages, "servers", names) or fetch(packages, "servers", names)
    stamp = json.dumps({"place": str(root), "packages": [deb.file for deb in debs]})
    if not (root / "stamp").exists() or (root / "stamp").read_text() != stamp:
        say(f"unpacking {len(debs)} packages into {root}")
        remake(root, packages, debs)
        (root / "stamp").write_text(stamp)
    return Tree(root)


def remake(root: Path, packages: Path, debs: list[Deb]) -> None:
    """Unpack and patch; the stamp is written last by the caller, so that a broken unpacking is seen and done again."""
    shutil.rmtree(root, ignore_errors=True)
    unpack(packages, (deb.file for deb in debs), root)
    for pattern in NOT_NEEDED:
        for path in root.glob(pattern):
            shutil.rmtree(path)
    elf.patch(root)


def fetch(packages: Path, kind: str, names: tuple[str, ...], leave_out: re.Pattern[str] = LEAVE_OUT) -> list[Deb]:
    """Fetch the packages with all they need, and keep their list beside them."""
    say(f"fetching the {kind}: {', '.join(names)}")
    apt = debian_apt(packages / "apt") if kind == "servers" and is_debian() else own_apt(packages / "apt")
    debs = apt.closure(names, leave_out)
    apt.download(debs, packages)
    (packages / f"{kind}.json").write_text(json.dumps([[deb.file, deb.size] for deb in debs], indent=1) + "\n")
    return debs


def listed(packages: Path, kind: str, names: tuple[str, ...]) -> list[Deb] | None:
    """The packages fetched before, if every one is still there whole, and none of the names is missing."""
    file = packages / f"{kind}.json"
    if not file.exists():
        return None
    debs = [Deb(name, size) for name, size in json.loads(file.read_text())]
    complete = set(names) <= {deb.name for deb in debs} and all(is_there(deb, packages) for deb in debs)
    return debs if complete else None
