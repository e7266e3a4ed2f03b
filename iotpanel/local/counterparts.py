"""Foreign servers for `make test-forwarders`, from the machine's own release: unpacked in a folder, the system is not touched.

They are of the machine's own release, so that they run with its loader and C library, as the tests' browser does.
"""

import json
import re
import shutil
from pathlib import Path

from iotpanel.local import tree
from iotpanel.local.apt import Deb, unpack
from iotpanel.local.say import Trouble, say

SERVERS = ("rabbitmq-server", "mariadb-server-core", "nats-server", "influxdb")
OPTIONAL = ("clickhouse-server", "clickhouse-common")  # Debian 12 has it, 13 has not
LEAVE_OUT = re.compile(
    rf"{tree.LEAVE_OUT.pattern}|libc6|libc-.*|systemd.*|dbus.*|adduser|libpam.*|socat|wget|psmisc|galera-4|rsync|lsof|iproute2"
)
LIBRARIES = ("usr/lib/*-linux-gnu*", "lib/*-linux-gnu*", "usr/lib")


def environment(place: Path, packages: Path) -> dict[str, str]:
    """Where the tests find the servers; what is missing is fetched and unpacked below `place`."""
    names = (*SERVERS, *OPTIONAL)
    debs = tree.listed(packages, "counterparts", names) or tree.listed(packages, "counterparts", SERVERS) or _fetched(packages)
    stamp = json.dumps({"place": str(place), "packages": [deb.file for deb in debs]})
    if not (place / "stamp").exists() or (place / "stamp").read_text() != stamp:
        say(f"unpacking {len(debs)} packages into {place}")
        shutil.rmtree(place, ignore_errors=True)
        unpack(packages, (deb.file for deb in debs), place)
        (place / "stamp").write_text(stamp)
    libraries = ":".join(str(folder) for pattern in LIBRARIES for folder in place.glob(pattern))
    return {"IOTPANEL_COUNTERPARTS": str(place), "IOTPANEL_COUNTERPARTS_LIBRARIES": libraries, "IOTPANEL_PACKAGES": str(packages)}


def _fetched(packages: Path) -> list[Deb]:
    """All of them, or those that this release has. A mirror that does not answer is Trouble, and no reason to test less."""
    try:
        return tree.fetch(packages, "counterparts", (*SERVERS, *OPTIONAL), LEAVE_OUT)
    except Trouble as trouble:
        if not any(name in str(trouble) for name in OPTIONAL):
            raise
        say(f"  not all servers can be had ({trouble}): going on without {', '.join(OPTIONAL)}")
        return tree.fetch(packages, "counterparts", SERVERS, LEAVE_OUT)
