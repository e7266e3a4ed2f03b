"""When tasks run: the schedule that operators keep in the admin."""

import time

from django_celery_beat.schedulers import DatabaseScheduler

LOOK_EVERY = 5.0  # seconds, as often as the scheduler wakes where nothing is due


class Scheduler(DatabaseScheduler):
    """The database's schedule, without asking the database for changes at every tick: tasks of ours are due each second."""

    _next_look = 0.0

    def schedule_changed(self) -> bool:
        """Whether the schedule has to be read anew; at once where nobody has asked for a while."""
        now = time.monotonic()
        if now < self._next_look:
            return False
        self._next_look = now + LOOK_EVERY
        return bool(super().schedule_changed())
