"""The foreground loop: watch over the parts until somebody asks to stop."""

import signal

from iotpanel.local.supervisor import Supervisor

STOPPERS = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
LOOK_EVERY = 0.25


def hold_signals() -> None:
    """From now on a request to stop waits until the loop looks for it, so that no step is left half done."""
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPPERS | {signal.SIGCHLD})


def stop_asked(seconds: float = 0.0) -> bool:
    """Wait up to ``seconds``, or until a part ends; True where somebody asked to stop."""
    received = signal.sigtimedwait(STOPPERS | {signal.SIGCHLD}, seconds)
    return received is not None and received.si_signo in STOPPERS


def watch(supervisor: Supervisor) -> None:
    """Restart what dies until somebody asks to stop."""
    while not stop_asked(LOOK_EVERY):
        supervisor.look()
