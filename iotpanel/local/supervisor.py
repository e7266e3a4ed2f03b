"""Keep the parts running: start them stage by stage, restart what dies, stop in reverse order."""

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from iotpanel.local.home import Home, write_private
from iotpanel.local.part import Part, await_end, kill_session, spawn
from iotpanel.local.say import Trouble, complain, say

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
STEADY = 60.0
"""Seconds that a part must live for its restarts to count from the beginning again."""
START_SECONDS = 120.0


@dataclass
class Running:
    """A part and its process; ``failures`` in a row lengthen the pause before the next start."""

    part: Part
    process: subprocess.Popen[bytes]
    since: float = field(default_factory=time.monotonic)
    failures: int = 0
    retry_at: float | None = None


class Supervisor:
    """The parts of one home, in the stages in which they were started.

    ``look`` never waits for a part: call it every so often. ``pause`` is how waiting is done; it may raise to end it.
    """

    def __init__(self, home: Home, pause: Callable[[float], None] = time.sleep) -> None:
        self.home = home
        self.pause = pause
        self.stages: list[list[Running]] = []

    @property
    def running(self) -> dict[str, Running]:
        return {running.part.name: running for stage in self.stages for running in stage}

    def start(self, *parts: Part, seconds: float = START_SECONDS) -> None:
        """Start a stage and wait until all of it serves; raises Trouble with the log of the part that does not."""
        stage: list[Running] = []
        self.stages.append(stage)
        for part in parts:
            stage.append(Running(part, self.spawn(part)))
        for running in stage:
            self.await_ready(running, seconds)

    def spawn(self, part: Part) -> subprocess.Popen[bytes]:
        process = spawn(part, self.home.log_file(part.name))
        write_private(self.home.pid_file(part.name), f"{process.pid}\n")
        return process

    def await_ready(self, running: Running, seconds: float) -> None:
        """Wait for one part; a part that ends meanwhile is Trouble at once."""
        until = time.monotonic() + seconds
        while running.process.poll() is None:
            if running.part.ready():
                return
            if time.monotonic() > until:
                break
            self.pause(0.05)
        name = running.part.name
        raise Trouble(f"{name} does not start: {last_line(self.home, name)} (see {self.home.log_file(name)})")

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

    def stop(self) -> None:
        """End all parts, the stage that was started last first; the parts of one stage together."""
        while self.stages:
            stage = self.stages.pop()
            for running in stage:
                if running.process.poll() is None:
                    running.process.send_signal(running.part.stop_signal)
            for running in stage:
                self.finish(running)

    def stop_part(self, name: str) -> Part:
        """End one part and forget it; the others go on."""
        running = self.running[name]
        for stage in self.stages:
            if running in stage:
                stage.remove(running)
        if running.process.poll() is None:
            running.process.send_signal(running.part.stop_signal)
        self.finish(running)
        return running.part

    def finish(self, running: Running) -> None:
        """Wait for a part that was asked to end."""
        if not await_end(running.process, running.part.patience):
            complain(f"{running.part.name} did not end within {running.part.patience:g} s and was killed")
        self.home.pid_file(running.part.name).unlink(missing_ok=True)


def ending(code: int | None) -> str:
    """How a process ended, in words."""
    return f"was ended by signal {-code}" if code is not None and code < 0 else f"ended with code {code}"


def last_line(home: Home, part: str) -> str:
    """The last line of a part's log, which mostly names the reason."""
    lines = home.log_file(part).read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
