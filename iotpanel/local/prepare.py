"""The steps between running servers and a running application: tables, static files, the first user."""

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from iotpanel.local.app import PYTHON, TOP, manage
from iotpanel.local.home import Home
from iotpanel.local.part import Part, await_end, spawn
from iotpanel.local.say import Trouble, say
from iotpanel.local.supervisor import last_line

STATIC_SOURCES = ("requirements.txt", "iotpanel", "devices", "telemetry", "rules")
TABLES_AND_FIRST_USER = """
import django
django.setup()
from django.core.management import call_command
call_command("migrate", interactive=False, verbosity=0)
call_command("first_user")
"""
"""One process for both: Django takes seconds to start."""


def prepare(home: Home, environment: Mapping[str, str], pause: Callable[[float], None]) -> None:
    """Bring tables, first user and static files up to date; what has not changed since the last start is left alone."""
    tables = tables_state(environment)
    if changed(home, "tables", tables):
        say("preparing the database")
        step("prepare", (PYTHON, "-c", TABLES_AND_FIRST_USER), home, environment, pause)
        note(home, "tables", tables)
    static = digest(static_files())
    if changed(home, "static", static):
        say("collecting static files")
        step("collectstatic", manage("collectstatic", "--noinput", "-v", "0", "--ignore", "redoc*"), home, environment, pause)
        note(home, "static", static)


def tables_state(environment: Mapping[str, str]) -> str:
    """Changes with the tables that the code wants, with the database that they are in, and with the wish for a password."""
    return digest([*migrations(), environment["DATABASE_URL"], os.environ.get("IOTPANEL_ADMIN_PASSWORD", "")])


def changed(home: Home, name: str, state: str) -> bool:
    """True where the last finished step saw another state, or none has finished."""
    stamp = home.stamps / name
    return not stamp.exists() or stamp.read_text() != state


def note(home: Home, name: str, state: str) -> None:
    home.stamps.mkdir(exist_ok=True)
    (home.stamps / name).write_text(state)


def step(name: str, argv: tuple[str, ...], home: Home, environment: Mapping[str, str], pause: Callable[[float], None]) -> None:
    """Run a command to its end; raises Trouble with its last line where it fails."""
    log = home.log_file("prepare")
    process = spawn(Part(name, argv, env=environment), log)
    try:
        while process.poll() is None:
            pause(0.05)
    finally:
        if process.poll() is None:
            process.terminate()
        await_end(process, 10)
    if process.returncode:
        raise Trouble(f"{name} failed: {last_line(home, 'prepare')} (see {log})")


def digest(things: Iterable[Path | str]) -> str:
    """Changes with any text, and with any file's name, size and time of change."""
    made = hashlib.sha256()
    for thing in things:
        status = thing.stat() if isinstance(thing, Path) else None
        made.update(f"{thing} {status and (status.st_size, status.st_mtime_ns)}\n".encode())
    return made.hexdigest()


def migrations() -> list[Path]:
    """What decides about the tables: our migrations, and the packages that bring their own."""
    return sorted([TOP / "requirements.txt", *TOP.glob("*/migrations/*.py"), *TOP.glob("iotpanel/*/migrations/*.py")])


def static_files() -> list[Path]:
    """What decides about the static files: ours, and the packages that bring their own."""
    sources = [TOP / name for name in STATIC_SOURCES]
    folders = [folder for source in sources if source.is_dir() for folder in source.glob("**/static")]
    return sorted([TOP / "requirements.txt", *(path for folder in folders for path in folder.rglob("*") if path.is_file())])


def admin_password(home: Home) -> str:
    """The first user's password, as the file says that only its owner can read."""
    file = home.root / "admin-password"
    return file.read_text().strip() if file.exists() else "as you have set it"
