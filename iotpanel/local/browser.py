"""What the tests need beside the servers: Chromium with fonts, and curl. The machine's own, or unpacked in a folder.

The browser is Chromium without a window of its own, which starts and draws at half the price of a whole one.
They come from the machine's own release, not from Debian 13: Chromium starts itself again by its path, so that it can
only use the machine's own loader and C library.
"""

import importlib.util
import json
import os
import re
import shutil
from pathlib import Path

from iotpanel.local import tree
from iotpanel.local.apt import unpack
from iotpanel.local.release import BROWSER
from iotpanel.local.say import say

CHROMIUM = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
LEAVE_OUT = re.compile(
    r"(?!lib|chromium|curl|fonts-|fontconfig-config).*|chromium-sandbox"
    r"|libc6|libc-.*|libllvm.*|libz3-.*|libperl.*|libgl1-mesa-dri|libsystemd-shared"
)
"""Only libraries and fonts are needed beside the programs; Chromium draws by itself, without Mesa's drivers and their LLVM."""
LIBRARIES = ("usr/lib/*-linux-gnu*", "lib/*-linux-gnu*", "usr/lib/*-linux-gnu*/pulseaudio")
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


def environment(place: Path, packages: Path, path: str) -> dict[str, str]:
    """Where the tests find browser and curl; what the machine lacks is fetched and unpacked below ``place``."""
    installed = os.environ.get("IOTPANEL_CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM)), None)
    if installed and shutil.which("curl"):
        return {"IOTPANEL_CHROMIUM": installed, "PATH": path}
    unpacked(place, packages)
    # Playwright's own Node needs a library that a small Debian lacks; Node is started as the others are, with ours.
    return {
        "IOTPANEL_CHROMIUM": str(place / "bin/chromium"),
        "PLAYWRIGHT_NODEJS_PATH": str(place / "bin/node"),
        "PATH": f"{path}{os.pathsep}{place / 'bin'}",
    }


def unpacked(place: Path, packages: Path) -> None:
    """Fetch and unpack, unless that was done before."""
    debs = tree.listed(packages, "browser", BROWSER) or tree.fetch(packages, "browser", BROWSER, LEAVE_OUT)
    stamp = json.dumps({"place": str(place), "packages": [deb.file for deb in debs]})
    if (place / "stamp").exists() and (place / "stamp").read_text() == stamp:
        return
    say(f"unpacking the browser into {place}")
    shutil.rmtree(place, ignore_errors=True)
    unpack(packages, (deb.file for deb in debs), place / "tree")
    make_starts(place)
    (place / "stamp").write_text(stamp)


def make_starts(place: Path) -> None:
    """Scripts that start the programs with the unpacked libraries and fonts."""
    root = place / "tree"
    programs = {"chromium": root / "usr/lib/chromium/chromium-headless-shell", "curl": root / "usr/bin/curl", "node": playwright_node()}
    libraries = ":".join(str(folder) for pattern in LIBRARIES for folder in root.glob(pattern))
    (place / "fonts.conf").write_text(FONTS.format(tree=root, place=place))
    (place / "bin").mkdir()
    for name, program in programs.items():
        start = place / "bin" / name
        start.write_text(START.format(libraries=libraries, place=place, program=program))
        start.chmod(0o755)


def playwright_node() -> Path:
    """The Node that Playwright brings along."""
    found = importlib.util.find_spec("playwright")
    return Path(found.origin if found and found.origin else "/nowhere/playwright").parent / "driver/node"
