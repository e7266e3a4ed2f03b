"""The jars of servers that Debian has no package of, for `make test-forwarders`: fetched once by Maven, where it is installed.

Where they cannot be had the tests go on without, and say so at their end.
"""

import shutil
import subprocess
from pathlib import Path

from iotpanel.local.say import say

SERVERS = ("kafka", "rocketmq")
PROGRAMS = ("java", "mvn")
TRIES = 3
SECONDS = 600
"""Of one try: about 150 MB."""


def environment(poms: Path, packages: Path) -> dict[str, str]:
    """Where the tests find the jars that the files in ``poms`` ask for; or why there are none."""
    if missing := [program for program in PROGRAMS if not shutil.which(program)]:
        return {"IOTPANEL_JARS_MISSING": f"{' and '.join(missing)} not installed"}
    folder = packages / "java"
    for name in SERVERS:
        if trouble := fetched(poms / f"{name}.xml", folder / name):
            return {"IOTPANEL_JARS_MISSING": f"Maven could not fetch it: {trouble}"}
    return {"IOTPANEL_JARS": str(folder)}


def fetched(pom: Path, folder: Path) -> str:
    """Fetch what ``pom`` names into ``folder``, unless that was done before; Maven's complaint where it cannot be had."""
    done = folder / f"done-{pom.stat().st_size}"
    if done.exists():
        return ""
    command = ["mvn", "-q", "-B", "-f", str(pom), "dependency:copy-dependencies", f"-DoutputDirectory={folder}"]
    shutil.rmtree(folder, ignore_errors=True)  # two versions of a jar would both be loaded
    folder.mkdir(parents=True)
    complaint = ""
    for number in range(1, TRIES + 1):
        say(f"fetching the jars of {folder.name} with Maven" + (f", try {number} of {TRIES}: {complaint}" if complaint else ""))
        complaint = asked(command)
        if not complaint:
            done.touch()
            break
    return complaint


def asked(command: list[str]) -> str:
    """Run Maven; its first complaint, or nothing."""
    try:
        ran = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return f"no end within {SECONDS} seconds"
    if not ran.returncode:
        return ""
    said = [line for line in (ran.stdout + ran.stderr).splitlines() if line.startswith("[ERROR]")]
    return (said or ["[ERROR] it said nothing"])[0].removeprefix("[ERROR]").strip()[:300]
