"""Replays of many dead letters: every letter that is wanted, oldest first, each once, in pieces.

A run notes which letters there are at the moment of the request, so that those which are refused again stand in nobody's
way, and what arrives meanwhile is left alone. A piece is one transaction, which moves the run's mark together with the
data: a run may die at any point and goes on from there. The request itself does what fits into half a second; the rest is
done in the background, one piece at a time on the whole platform, and every run in its turn.
"""

import time
from typing import Any, NamedTuple

import structlog
from django.contrib.postgres.expressions import ArraySubquery
from django.db import connection, transaction
from django.db.models import BigIntegerField, F, Func, QuerySet
from django.db.models.functions import Length
from django.utils import timezone

from devices.exceptions import Unavailable
from iotpanel.nudges import nudge
from iotpanel.tenants.models import Tenant, User
from telemetry.models import DeadLetterRecord, ReplayRun
from telemetry.models.run import RunState

from .replay import replay_chunk

AT_ONCE = 250  # letters of one transaction
BYTES_AT_ONCE = 4_000_000
IN_REQUEST = 0.5  # seconds after which a request begins no further piece
TASK = "telemetry.tasks.replay_letters"
ALONE = "SELECT pg_try_advisory_xact_lock(7104004)"  # in the background: the other task workers have better things to do
MOVED = ["done", "replayed", "failed", "state", "finished_at", "letters"]
log = structlog.get_logger(__name__)


class Replayed(NamedTuple):
    """What a request has done, how many letters are left to the background, and the run that has them.

    `run` is None where nothing is left, or where all that is left waits in earlier runs.
    """

    replayed: int = 0
    failed: int = 0
    waiting: int = 0
    run: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """For an answer: `waiting` and `run` only where something waits."""
        done = {"replayed": self.replayed, "failed": self.failed}
        return done | {"waiting": self.waiting, "run": self.run} if self.waiting else done


def replay_all(letters: QuerySet[DeadLetterRecord], *, tenant: Tenant | None, started_by: User | None = None) -> Replayed:
    """Replay these letters, as far as they are open: what takes longer than a request may goes on in the background.

    A database that does not take the data now is no error here: the run waits for it.
    """
    run, elsewhere = start(letters, tenant=tenant, started_by=started_by)
    if run is None:
        return Replayed(waiting=elsewhere)
    try:
        go_on(run.pk, seconds=IN_REQUEST)
    except Unavailable as error:
        log.warning("replay_waits", run=run.pk, error=str(error)[:300])
    run.refresh_from_db(fields=["total", "done", "replayed", "failed", "state"])
    if run.state == RunState.RUNNING:
        transaction.on_commit(lambda: nudge(TASK, expires=60))
        return Replayed(run.replayed, run.failed, run.waiting + elsewhere, run.pk)
    run.delete()  # nobody has to look how far it is
    return Replayed(run.replayed, run.failed, elsewhere)


@transaction.atomic
def start(letters: QuerySet[DeadLetterRecord], *, tenant: Tenant | None, started_by: User | None = None) -> tuple[ReplayRun | None, int]:
    """A run over these letters, None where there is nothing to do; and how many of them wait in earlier runs anyway."""
    wanted = letters.filter(replayed_at=None)
    fresh, matching = wanted, 0
    if ReplayRun.objects.unfinished().exists():
        matching = wanted.count()
        fresh = wanted.exclude(pk__in=_not_begun())
    run = ReplayRun.objects.create(tenant=tenant, started_by=started_by)
    mine = ReplayRun.objects.filter(pk=run.pk)
    mine.update(letters=ArraySubquery(fresh.order_by("received_at", "pk").values("pk")))
    run.total = mine.values_list("letters__len", flat=True).get()
    elsewhere = max(0, matching - run.total)
    if not run.total:
        run.delete()
        return None, elsewhere
    run.save(update_fields=["total"])
    return run, elsewhere


def _not_begun() -> QuerySet[Any]:
    """Ids of letters that unfinished runs still come to. What may be in work now was perhaps judged before the latest fix."""
    ahead = Func(
        F("letters"),
        F("done") + AT_ONCE + 1,
        template="unnest(%(expressions)s:])",
        arg_joiner="[",
        output_field=BigIntegerField(),
    )
    found: QuerySet[Any] = ReplayRun.objects.unfinished().order_by().values_list(ahead, flat=True)
    return found


@transaction.atomic
def cancel(run: ReplayRun) -> None:
    """What is done stays done; the other letters wait for another replay."""
    ReplayRun.objects.unfinished().filter(pk=run.pk).update(state=RunState.CANCELLED, finished_at=timezone.now(), letters=[])


def go_on(run_id: int, *, seconds: float) -> None:
    """Take steps until the run is done, or another process has it, at most for about so many seconds. Raises Unavailable."""
    end = time.monotonic() + seconds
    while _step(run_id) and time.monotonic() < end:
        pass


def advance(*, seconds: float) -> bool:
    """Steps of all runs by turns, in the background; whether the time ended before the work."""
    end = time.monotonic() + seconds
    moved = True
    while moved:
        moved = False
        # By lot: where one round takes longer than the time, it is not always the same ones that wait.
        for run_id in ReplayRun.objects.unfinished().order_by("?").values_list("pk", flat=True):
            moved = _turn(run_id) or moved
            if time.monotonic() >= end:
                return True
    return False


def _turn(run_id: int) -> bool:
    """A step in the background; whether there was one. One run that fails leaves the others alone."""
    try:
        with transaction.atomic():
            return _alone() and _step(run_id) is not None
    except Unavailable as error:
        log.warning("replay_waits", run=run_id, error=str(error)[:300])
    except Exception as error:  # whatever it is: it must not stop the others
        log.error("replay_step_failed", run=run_id, error=repr(error)[:500], exc_info=error)
    return False


def _alone() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(ALONE)
        return bool(cursor.fetchone()[0])


def _step(run_id: int) -> int | None:
    """One transaction: how many letters are left then; None where there is nothing to do, or another process does it."""
    with transaction.atomic():
        mine = ReplayRun.objects.unfinished().light().filter(pk=run_id)
        run = mine.select_for_update(skip_locked=True, of=("self",)).first()
        if run is None:
            return None
        piece = _next(run)
        accepted, refused = replay_chunk(piece)
        run.done, run.replayed, run.failed = run.done + len(piece), run.replayed + accepted, run.failed + refused
        left: int = run.waiting if piece else 0
        if not left:
            run.state, run.finished_at, run.letters = RunState.DONE, timezone.now(), []
        run.save(update_fields=MOVED if not left else MOVED[:3])
    return left


def _next(run: ReplayRun) -> list[int]:
    """The ids behind the run's mark, bounded by number and bytes; a letter that is gone meanwhile costs nothing."""
    ids = ReplayRun.objects.values_list(f"letters__{run.done}_{run.done + AT_ONCE}", flat=True).get(pk=run.pk)
    sizes = dict(DeadLetterRecord.objects.filter(pk__in=ids).values_list("pk", Length("payload")))
    taken: list[int] = []
    size = 0
    for letter in ids:
        size += sizes.get(letter, 0)
        if taken and size > BYTES_AT_ONCE:
            break
        taken.append(letter)
    return taken
