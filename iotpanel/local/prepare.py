"""The steps between running servers and a running application: tables, static files, the first user."""

import hashlib
import secrets
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from iotpanel.local.app import TOP, manage
from iotpanel.local.home import Home, write_private
from iotpanel.local.part import ONESELF, Part, await_end, spawn
from iotpanel.local.say import Trouble, say
from iotpanel.local.supervisor import last_line

STATIC_SOURCES = ("requirements.txt", "iotpanel/static", "iotpanel/pages", "devices", "telemetry", "rules")


def prepare(home: Home, environment: Mapping[str, str], pause: Callable[[float], None]) -> None:
    """Bring tables, static files and first user up to date."""
    say("preparing the database")
    step("migrate", manage("migrate", "--noinput", "-v", "0"), home, environment, pause)
    stamp, now = home.root / "static.stamp", static_state()
    if not stamp.exists() or stamp.read_text() != now:
        say("collecting static files")
        step("collectstatic", manage("collectstatic", "--noinput", "-v", "0"), home, environment, pause)
        stamp.write_text(now)
    step("first_user", manage("first_user"), home, environment, pause)


def step(name: str, argv: tuple[str, ...], home: Home, environment: Mapping[str, str], pause: Callable[[float], None]) -> None:
    """Run a command to its end; raises Trouble with its last line where it fails."""
    log = home.log_file("prepare")
    process = spawn(Part(name, argv, env=environment, account=ONESELF), log)
    try:
        while process.poll() is None:
            pause(0.05)
    finally:
        if process.poll() is None:
            process.terminate()
        await_end(process, 10)
    if process.returncode:
        raise Trouble(f"{name} failed: {last_line(home, 'prepare')} (see {log})")


def static_state() -> str:
    """A digest that changes with any static file of ours or any package's version."""
    digest = hashlib.sha256()
    for path in sorted(static_files()):
        status = path.stat()
        digest.update(f"{path} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def static_files() -> Iterator[Path]:
    for name in STATIC_SOURCES:
        source = TOP / name
        if source.is_file():
            yield source
        folders = [source] if name.endswith("static") else source.glob("**/static")
        for folder in folders:
            yield from (path for path in folder.rglob("*") if path.is_file())


def admin_password(home: Home, wanted: str | None = None) -> Path:
    """The file with the first user's password: the one asked for, else the one made at the first start."""
    file = home.root / "admin-password"
    if wanted or not file.exists():
        write_private(file, (wanted or secrets.token_urlsafe(12)) + "\n")
    return file
