"""A Chromium for the browser tests: the machine's, or one unpacked beside the servers.

It is taken from the machine's own release, not from Debian 13: Chromium starts itself again by its path, so that it can
only use the machine's own loader and C library.
"""

import json
import re
import shutil
from pathlib import Path

from iotpanel.local import tree
from iotpanel.local.apt import unpack
from iotpanel.local.release import BROWSER
from iotpanel.local.say import say

INSTALLED = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
LEAVE_OUT = re.compile(
    r"(?!lib|chromium|fonts-|fontconfig-config).*|libc6|libc-.*|libllvm.*|libz3-.*|libperl.*|libgl1-mesa-dri|libsystemd-shared|chromium-sandbox"
)
"""Only libraries and fonts are needed beside the program; it draws by itself, without Mesa's drivers and their LLVM."""
FONTS = """\
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{tree}/usr/share/fonts</dir><dir>/usr/share/fonts</dir><cachedir>{place}/cache</cachedir></fontconfig>
"""
START = """\
#!/bin/sh
export LD_LIBRARY_PATH="{libraries}" FONTCONFIG_FILE="{place}/fonts.conf"
exec "{program}" "$@"
"""


def chromium(place: Path, packages: Path) -> Path:
    """The program to start; fetched and unpacked below ``place`` where the machine has none."""
    installed = next(filter(None, map(shutil.which, INSTALLED)), None)
    if installed:
        return Path(installed)
    debs = tree.listed(packages, "browser") or tree.fetch(packages, "browser", BROWSER, LEAVE_OUT)
    stamp, start = json.dumps({"place": str(place), "packages": [deb.file for deb in debs]}), place / "chromium"
    if not (place / "stamp").exists() or (place / "stamp").read_text() != stamp:
        say(f"unpacking the browser into {place}")
        shutil.rmtree(place, ignore_errors=True)
        unpack(packages, (deb.file for deb in debs), place / "tree")
        make_start(place, start)
        (place / "stamp").write_text(stamp)
    return start


def make_start(place: Path, start: Path) -> None:
    """A script that starts the unpacked program with its libraries and fonts."""
    root = place / "tree"
    places = ("usr/lib/*-linux-gnu*", "lib/*-linux-gnu*", "usr/lib/*-linux-gnu*/pulseaudio")
    libraries = ":".join(str(folder) for pattern in places for folder in root.glob(pattern))
    (place / "fonts.conf").write_text(FONTS.format(tree=root, place=place))
    start.write_text(START.format(libraries=libraries, place=place, program=root / "usr/lib/chromium/chromium"))
    start.chmod(0o755)
