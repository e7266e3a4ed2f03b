"""The foreground: wait for the person's wish to stop, and keep house meanwhile."""

import signal
import time

from iotpanel.local import housekeeping
from iotpanel.local.supervisor import Supervisor

STOPPERS = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
LOOK_EVERY = 0.25
KEEP_HOUSE_EVERY = 60.0


class StopAsked(Exception):
    """Somebody asked iotpanel to stop while it was still starting."""


def hold_signals() -> None:
    """From now on a wish to stop waits until it is looked for, so that no step is left half done."""
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPPERS | {signal.SIGCHLD})


def stop_asked(seconds: float = 0.0) -> bool:
    """Wait up to ``seconds``, or until a process ends; True where somebody asked to stop."""
    received = signal.sigtimedwait(STOPPERS | {signal.SIGCHLD}, seconds)
    return received is not None and received.si_signo in STOPPERS


def pause(seconds: float) -> None:
    """Sleep while something starts; raises StopAsked instead where somebody asked to stop."""
    if stop_asked(seconds):
        raise StopAsked


def watch(supervisor: Supervisor) -> None:
    """Restart what dies, bound the logs, warn of a full disk, until somebody asks to stop."""
    due = 0.0
    while not stop_asked(LOOK_EVERY):
        supervisor.look()
        if time.monotonic() >= due:
            housekeeping.keep_house(supervisor.home)
            due = time.monotonic() + KEEP_HOUSE_EVERY
