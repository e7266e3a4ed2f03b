"""What the log says of dead letters: the same reason that the letter, REST and pages show, without drowning in a flood.

A device that sends nonsense does so a thousand times an hour. It is named once a minute with how often, and the number of
lines a minute has a bound, because who sends nonsense also chooses its names.
"""

import time
from collections.abc import Iterable

import structlog

from devices.exceptions import SENTENCE
from devices.messages import DeadLetter

AGAIN = 60.0  # seconds until the same device is named for the same reason
MOST = 300  # lines within that time
LONGEST = 200  # characters of a name that a device made up
log = structlog.get_logger(__name__)


class Refused:
    """For one thread at a time; where two meet, a line more or less is no harm."""

    def __init__(self) -> None:
        self._unsaid: dict[tuple[str, str], int] = {}
        self._since = float("-inf")
        self._silent = 0

    def note(self, letters: Iterable[DeadLetter], now: float | None = None) -> None:
        """Log what is new; count what was said a moment ago."""
        for letter in letters:
            at = time.monotonic() if now is None else now
            if at - self._since >= AGAIN:
                self._begin(at)
            self._note(letter)

    def _note(self, letter: DeadLetter) -> None:
        who = (letter.reason, letter.key[:LONGEST])
        if who in self._unsaid:
            self._unsaid[who] += 1
        elif len(self._unsaid) >= MOST:
            self._silent += 1
        else:
            self._unsaid[who] = 0
            about = {"device": who[1], "topic": letter.topic[:LONGEST], "detail": letter.detail[:SENTENCE]}
            log.info("dead_lettered", reason=letter.reason, **about)

    def _begin(self, at: float) -> None:
        """Say what was only counted, and begin anew."""
        for (reason, device), more in self._unsaid.items():
            if more:
                log.info("dead_lettered_again", reason=reason, device=device, more=more)
        if self._silent:
            log.warning("dead_letters_not_named", more=self._silent)
        self._unsaid, self._since, self._silent = {}, at, 0


refused = Refused()
