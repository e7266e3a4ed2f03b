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


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with the bootstrap and requirements that need no network."""
    folder = tmp_path / "iotpanel/local"
    folder.mkdir(parents=True)
    shutil.copy(app.TOP / "iotpanel/local/bootstrap.py", folder)
    (tmp_path / "requirements.txt").write_text("# nothing\n")
    return tmp_path


def bootstrap(checkout: Path, requirements: str = "requirements.txt") -> subprocess.CompletedProcess[str]:
    command = [SYSTEM_PYTHON, "-I", str(checkout / "iotpanel/local/bootstrap.py"), requirements]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def loaded(checkout: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("bootstrap", checkout / "iotpanel/local/bootstrap.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_makes_an_environment_with_pip_and_keeps_it(checkout: Path) -> None:
    first = bootstrap(checkout)
    assert first.returncode == 0, first.stderr
    assert "making .venv" in first.stdout
    made = (checkout / ".venv/pyvenv.cfg").stat().st_mtime_ns

    second = bootstrap(checkout)

    assert second.returncode == 0
    assert "making .venv" not in second.stdout
    assert (checkout / ".venv/pyvenv.cfg").stat().st_mtime_ns == made


def test_a_broken_environment_is_made_anew(checkout: Path) -> None:
    (checkout / ".venv/bin").mkdir(parents=True)
    (checkout / ".venv/bin/python").symlink_to("/nowhere/python")

    assert bootstrap(checkout).returncode == 0

    assert subprocess.run([str(checkout / ".venv/bin/python"), "-c", "import pip"], check=False).returncode == 0


def test_a_package_that_cannot_be_had_is_said_after_what_pip_said(checkout: Path) -> None:
    (checkout / "requirements.txt").write_text("./no-such-package\n")

    done = bootstrap(checkout)

    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1] == "iotpanel: pip could not install requirements.txt"
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
