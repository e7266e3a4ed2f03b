"""Make ``.venv`` with what a requirements file names. Run by the system's Python: standard library only.

    python3 -I iotpanel/local/bootstrap.py requirements.txt

Debian's Python often comes without ensurepip; then pip is unpacked privately from Debian's own package.
"""

import shutil
import subprocess
import sys
import types
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
VENV = TOP / ".venv"
PYTHON = VENV / "bin/python"
OLDEST = (3, 11)
SAY_EVERY = 15
"""Packages between two lines of progress."""


def main(requirements: str) -> int:
    if sys.version_info < OLDEST:
        return complain(
            f"Python {OLDEST[0]}.{OLDEST[1]} or newer is needed, this is {sys.version.split()[0]}: make PYTHON=... names another"
        )
    if not works(PYTHON, "import pip"):
        print("making .venv", flush=True)
        shutil.rmtree(VENV, ignore_errors=True)
        try:
            make_venv()
        except (OSError, subprocess.CalledProcessError, ImportError) as error:
            return complain(f".venv cannot be made ({error}); install python3-venv, or pip for {sys.executable}")
    print(f"installing the packages of {requirements} into .venv", flush=True)
    return install(TOP / requirements)


def works(python: Path, code: str) -> bool:
    """True where this Python exists and runs the code."""
    if not python.exists():
        return False
    return subprocess.run([str(python), "-I", "-c", code], capture_output=True, check=False).returncode == 0


def make_venv() -> None:
    """A virtual environment with pip, by the first way that this machine offers."""
    run = [sys.executable, "-m", "venv"]
    if works(Path(sys.executable), "import ensurepip"):
        subprocess.run([*run, str(VENV)], check=True, stdout=subprocess.DEVNULL)
        return
    subprocess.run([*run, "--without-pip", str(VENV)], check=True)
    if works(Path(sys.executable), "import pip"):
        subprocess.run([sys.executable, "-m", "pip", "-q", "--python", str(PYTHON), "install", "pip"], check=True)
        return
    wheel = debian_pip()
    subprocess.run([str(PYTHON), f"{wheel}/pip", "-q", "install", "--no-index", str(wheel)], check=True)


def debian_pip() -> Path:
    """pip's wheel out of Debian's package of it, fetched and unpacked below ``.venv``."""
    apt = without_framework().own_apt(VENV / "apt")
    folder = VENV / "apt/pip"
    folder.mkdir()
    apt.run("download", "python3-pip-whl", cwd=folder)
    for package in folder.glob("*.deb"):
        subprocess.run(["dpkg", "-x", str(package), str(folder)], check=True)
    return next(folder.glob("usr/share/python-wheels/pip-*.whl"))


def without_framework() -> types.ModuleType:
    """``iotpanel.local.apt``, passing over the project package's own import, which needs what is yet to be installed."""
    package = types.ModuleType("iotpanel")
    package.__path__ = [str(TOP / "iotpanel")]
    sys.modules["iotpanel"] = package
    from iotpanel.local import apt

    return apt


def install(requirements: Path) -> int:
    """Install with a line of progress now and then; on failure what pip said last."""
    command = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--progress-bar", "off", "-r", str(requirements)]
    said: list[str] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=TOP) as pip:
        for line in pip.stdout or ():
            said.append(line)
            collected = sum(text.startswith("Collecting") for text in said)
            if line.startswith("Collecting") and collected % SAY_EVERY == 0:
                print(f"  {collected} packages", flush=True)
    if pip.returncode:
        print("".join(said[-15:]), file=sys.stderr)
        return complain(f"pip could not install {requirements.name}")
    return 0


def complain(text: str) -> int:
    print(f"iotpanel: {text}", file=sys.stderr, flush=True)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
