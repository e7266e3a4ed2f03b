"""Making ``.venv`` with nothing but the system's Python."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from iotpanel.local import app

SYSTEM_PYTHON = getattr(sys, "_base_executable", sys.executable)


def make_checkout(folder: Path) -> Path:
    """A checkout with the bootstrap and requirements that need no network."""
    shutil.copytree(app.TOP / "iotpanel/local", folder / "iotpanel/local")
    (folder / "requirements.txt").write_text("# nothing\n")
    return folder


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    return make_checkout(tmp_path)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout whose environment was made from a broken one."""
    folder = make_checkout(tmp_path_factory.mktemp("made"))
    (folder / ".venv/bin").mkdir(parents=True)
    (folder / ".venv/bin/python").symlink_to("/nowhere/python")
    done = bootstrap(folder)
    assert done.returncode == 0, done.stderr
    assert "making .venv" in done.stdout
    return folder


def bootstrap(checkout: Path, requirements: str = "requirements.txt") -> subprocess.CompletedProcess[str]:
    command = [SYSTEM_PYTHON, "-I", str(checkout / "iotpanel/local/bootstrap.py"), requirements]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def loaded(checkout: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("bootstrap", checkout / "iotpanel/local/bootstrap.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_makes_an_environment_with_pip_in_place_of_a_broken_one(made: Path) -> None:
    assert subprocess.run([str(made / ".venv/bin/python"), "-c", "import pip"], check=False).returncode == 0


def test_an_environment_that_works_is_kept(made: Path) -> None:
    before = (made / ".venv/pyvenv.cfg").stat().st_mtime_ns

    done = bootstrap(made)

    assert done.returncode == 0
    assert "making .venv" not in done.stdout
    assert (made / ".venv/pyvenv.cfg").stat().st_mtime_ns == before


def test_a_package_that_cannot_be_had_is_said_after_what_pip_said(made: Path) -> None:
    (made / "strange.txt").write_text("./no-such-package\n")

    done = bootstrap(made, "strange.txt")

    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1] == "iotpanel: pip could not install strange.txt"
    assert "no-such-package" in done.stderr


def test_an_old_python_is_told_so(checkout: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    module = loaded(checkout)
    monkeypatch.setattr(module, "OLDEST", (99, 0))

    assert module.main("requirements.txt") == 1
    assert "make PYTHON=..." in capsys.readouterr().err


def test_without_ensurepip_and_pip_debians_own_wheel_is_used(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = loaded(checkout)
    wheel = next(Path(sys.prefix).glob("lib/python3*/site-packages/pip"))
    asked: list[str] = []

    def works(python: Path, code: str) -> bool:
        asked.append(code)
        return False

    def run(command: list[str], **_: object) -> None:
        ran.append(command)

    ran: list[list[str]] = []
    monkeypatch.setattr(module, "works", works)
    monkeypatch.setattr(module, "debian_pip", lambda: wheel.parent)
    monkeypatch.setattr(module.subprocess, "run", run)

    module.make_venv()

    assert asked == ["import ensurepip", "import pip"]
    assert "--without-pip" in ran[0]
    assert ran[1][1:] == [f"{wheel}", "-q", "install", "--no-index", str(wheel.parent)]
