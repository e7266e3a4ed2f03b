"""The foreground: wait for the person's wish to stop, and keep house meanwhile."""

import signal
import time

from iotpanel.local import housekeeping
from iotpanel.local.say import say, tell_systemd
from iotpanel.local.supervisor import Supervisor

RESTART = signal.SIGUSR2
STOPPERS = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP, RESTART})
LOOK_EVERY = 0.25
KEEP_HOUSE_EVERY = 60.0


class StopAsked(Exception):
    """Somebody asked iotpanel to stop while it was still starting."""


def hold_signals() -> None:
    """From now on a wish to stop waits until it is looked for, so that no step is left half done."""
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPPERS | {signal.SIGCHLD})


def stop_asked(seconds: float = 0.0) -> int:
    """Wait up to ``seconds``, or until a process ends; the signal by which somebody asked to stop, else 0."""
    received = signal.sigtimedwait(STOPPERS | {signal.SIGCHLD}, seconds)
    return received.si_signo if received is not None and received.si_signo in STOPPERS else 0


def pause(seconds: float) -> None:
    """Sleep while something starts; raises StopAsked instead where somebody asked to stop."""
    if stop_asked(seconds):
        tell_systemd("STOPPING=1")
        raise StopAsked


def watch(supervisor: Supervisor) -> bool:
    """Restart what dies, bound the logs, warn of a full disk, until somebody asks to stop; True where it shall start again."""
    due = 0.0
    while not (asked := stop_asked(LOOK_EVERY)):
        supervisor.look()
        if time.monotonic() >= due:
            housekeeping.keep_house(supervisor.home)
            due = time.monotonic() + KEEP_HOUSE_EVERY
    say("stopping")
    if asked != RESTART:  # after that word systemd would end the new version too
        tell_systemd("STOPPING=1")
    return asked == RESTART
