"""The steps before the application starts: done once, done again when something changed, said when they fail."""

import os
import sys
import time
from pathlib import Path

import pytest

from iotpanel.local import app, prepare
from iotpanel.local.home import Home
from iotpanel.local.say import Trouble
from tests.local.processes import mentions

ENVIRONMENT = {"DATABASE_URL": "postgres://one/x"}


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the steps that are done."""
    done: list[str] = []
    monkeypatch.setattr(prepare, "step", lambda name, *_: done.append(name))
    monkeypatch.delenv("IOTPANEL_ADMIN_PASSWORD", raising=False)
    return done


@pytest.fixture
def top(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with one migration and one static file."""
    top = tmp_path / "checkout"
    for name in ("requirements.txt", "devices/migrations/0001_initial.py", "iotpanel/static/page.css"):
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text("first")
    monkeypatch.setattr(prepare, "TOP", top)
    return top


def prepared(home: Home, **environ: str) -> None:
    prepare.prepare(home, ENVIRONMENT | environ, time.sleep)


def test_a_second_start_does_nothing_again(home: Home, top: Path, steps: list[str]) -> None:
    prepared(home)
    prepared(home)

    assert steps == ["prepare", "collectstatic"]


def test_a_new_migration_is_run(home: Home, top: Path, steps: list[str]) -> None:
    prepared(home)
    (top / "devices/migrations/0002_more.py").write_text("second")
    prepared(home)

    assert steps == ["prepare", "collectstatic", "prepare"]


def test_a_changed_static_file_is_collected(home: Home, top: Path, steps: list[str]) -> None:
    prepared(home)
    (top / "iotpanel/static/page.css").write_text("changed")
    prepared(home)

    assert steps == ["prepare", "collectstatic", "collectstatic"]


def test_new_packages_may_bring_tables_and_static_files(home: Home, top: Path, steps: list[str]) -> None:
    prepared(home)
    (top / "requirements.txt").write_text("other versions")
    prepared(home)

    assert steps == ["prepare", "collectstatic"] * 2


def test_another_database_is_prepared(home: Home, top: Path, steps: list[str]) -> None:
    prepared(home)
    prepared(home, DATABASE_URL="postgres://two/x")

    assert steps == ["prepare", "collectstatic", "prepare"]


def test_a_password_that_the_person_sets_is_taken_over(home: Home, top: Path, steps: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    prepared(home)
    monkeypatch.setenv("IOTPANEL_ADMIN_PASSWORD", "chosen")
    prepared(home)

    assert steps == ["prepare", "collectstatic", "prepare"]


def test_a_failed_step_is_done_again(home: Home, top: Path, steps: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(prepare, "step", lambda name, *_: (_ for _ in ()).throw(Trouble(name)))
        with pytest.raises(Trouble):
            prepared(home)

    prepared(home)

    assert steps == ["prepare", "collectstatic"]


def test_a_failure_is_one_line_that_names_the_log(home: Home) -> None:
    with pytest.raises(Trouble, match=r"migrate failed: no such table \(see .*prepare.log\)"):
        prepare.step("migrate", (sys.executable, "-c", "raise SystemExit('no such table')"), home, {}, time.sleep)


def test_a_wish_to_stop_ends_the_step(home: Home) -> None:
    class Enough(Exception):
        pass

    def pause(_: float) -> None:
        raise Enough

    word = f"step-of-{os.getpid()}"
    with pytest.raises(Enough):
        prepare.step("migrate", (sys.executable, "-c", f"import time; time.sleep(600)  # {word}"), home, {}, pause)

    assert mentions(word) == []


def test_the_real_checkout_has_what_the_stamps_look_at() -> None:
    assert len(prepare.migrations()) > 3
    assert len(prepare.static_files()) > 10
    assert all(path.is_relative_to(app.TOP) for path in prepare.static_files())


def test_the_password_is_read_from_its_file(home: Home) -> None:
    assert prepare.admin_password(home) == "as you have set it"

    (home.root / "admin-password").write_text("secret\n")

    assert prepare.admin_password(home) == "secret"
