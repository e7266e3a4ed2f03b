"""The README tells the truth: its commands do what it says."""

import os
import subprocess
from pathlib import Path

from django.conf import settings

from tests.flows.platform import Account, Platform
from tests.services import eventually


def commands(heading: str) -> str:
    """The indented block below a heading of the README."""
    below = (settings.BASE_DIR / "README.md").read_text().split(f"## {heading}\n", 1)[1]
    lines = [line for line in below.split("\n## ", 1)[0].splitlines() if line.startswith("    ")]
    return "\n".join(line.removeprefix("    ") for line in lines)


def test_the_first_device_connects_in_five_lines(platform: Platform, tmp_path: Path) -> None:
    script = commands("Connect your first device")
    assert len(script.splitlines()) == 5
    home = tmp_path / ".iotpanel"
    home.mkdir()
    known = {**platform.services.environment, "IOTPANEL_HOME": str(platform.services.config.home.root), "PATH": os.environ["PATH"]}
    known |= {"IOTPANEL_PORT": str(platform.services.config.port), "IOTPANEL_MQTT_PORT": str(platform.services.mqtt_port)}
    (home / "env").write_text("".join(f"export {name}='{value}'\n" for name, value in known.items()))
    done = subprocess.run(["bash", "-eu", "-c", f"TOKEN=\n{script}"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert eventually(lambda: platform.latest(Account("greenhouse-1", ""))) == {"temperature": 21.5}
