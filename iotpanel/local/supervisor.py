"""Keep the parts running: start in order, restart what dies, stop in reverse order."""

import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from iotpanel.local.home import Home
from iotpanel.local.part import Part, end, kill_session, spawn, wait_until
from iotpanel.local.say import Trouble, complain, say

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
STEADY = 60.0
"""Seconds that a part must live for its restarts to count from the beginning again."""
START_SECONDS = 90.0


@dataclass
class Running:
    """A part and its process; ``failures`` in a row lengthen the pause before the next start."""

    part: Part
    process: subprocess.Popen[bytes]
    since: float = field(default_factory=time.monotonic)
    failures: int = 0
    retry_at: float | None = None


class Supervisor:
    """The parts of one home. Call ``look`` every so often; it never waits for a part."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.running: dict[str, Running] = {}

    def start(self, *parts: Part, seconds: float = START_SECONDS) -> None:
        """Start the parts together and wait until all serve; raises Trouble with the log of the one that does not."""
        for part in parts:
            self.launch(part)
        for part in parts:
            self.await_ready(part, seconds)

    def launch(self, part: Part) -> None:
        """Start a part without waiting for it."""
        self.running[part.name] = Running(part, self.spawn(part))

    def spawn(self, part: Part) -> subprocess.Popen[bytes]:
        process = spawn(part, self.home.log_file(part.name))
        self.home.pid_file(part.name).write_text(f"{process.pid}\n")
        return process

    def await_ready(self, part: Part, seconds: float) -> None:
        """Wait for one part; a part that ends meanwhile is Trouble at once."""
        process = self.running[part.name].process
        wait_until(lambda: process.poll() is not None or part.ready(), seconds)
        if process.poll() is not None or not part.ready():
            raise Trouble(f"{part.name} does not start: {last_line(self.home, part.name)} (see {self.home.log_file(part.name)})")

    def look(self) -> None:
        """Restart what has died and is due."""
        for running in self.running.values():
            if running.retry_at is not None:
                if time.monotonic() >= running.retry_at:
                    self.restart(running)
            elif running.process.poll() is not None:
                self.note_death(running)

    def note_death(self, running: Running) -> None:
        """Say that the part died and when it comes back."""
        kill_session(running.process.pid)
        steady = time.monotonic() - running.since > STEADY
        running.failures = 1 if steady else running.failures + 1
        pause = min(FIRST_PAUSE * 2 ** (running.failures - 1), LONGEST_PAUSE)
        running.retry_at = time.monotonic() + pause
        complain(f"{running.part.name} {ending(running.process.returncode)}; starting it again in {pause:g} s")

    def restart(self, running: Running) -> None:
        running.process = self.spawn(running.part)
        running.since = time.monotonic()
        running.retry_at = None
        say(f"{running.part.name} runs again (process {running.process.pid})")

    def stop(self, *names: str) -> None:
        """End the named parts one after the other, or all of them, the last started first."""
        for name in names or tuple(reversed(self.running)):
            running = self.running.pop(name, None)
            if running is None:
                continue
            if not end(running.process, running.part):
                complain(f"{name} did not end within {running.part.patience:g} s and was killed")
            self.home.pid_file(name).unlink(missing_ok=True)


def ending(code: int | None) -> str:
    """How a process ended, in words."""
    return f"was ended by signal {-code}" if code is not None and code < 0 else f"ended with code {code}"


def last_line(home: Home, part: str) -> str:
    """The last line of a part's log, which mostly names the reason."""
    lines = home.log_file(part).read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"


def names_of(parts: Sequence[Part]) -> str:
    return ", ".join(part.name for part in parts)
