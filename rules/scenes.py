"""Scenes under way: ordered steps with pauses, each step in a transaction of its own, in spite of restarts."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import structlog
from django.db import OperationalError, transaction
from django.utils import timezone

from devices.exceptions import Unavailable

from . import act, derived, failures, trace
from .durations import parse_span
from .firing import Firing
from .models import SceneRun

PORTION = 100
log = structlog.get_logger(__name__)


def begin(steps: Sequence[Mapping[str, Any]], firings: Sequence[Firing]) -> None:
    """Begin a scene in the caller's transaction: all steps before the first pause at once, the rest when it is due."""
    _go_on(firings[0].rule_id, list(steps), list(firings))


def sweep() -> int:
    """Go on with the scenes whose pause is over; how many there were."""
    rows = list(SceneRun.objects.filter(due_at__lte=timezone.now()).order_by("due_at", "pk").select_for_update(skip_locked=True)[:PORTION])
    for row in rows:
        row.delete()
        _go_on_alone(row)
    return len(rows)


def _go_on_alone(row: SceneRun) -> None:
    """A step that fails ends its own scene only, and counts as its rule's failure."""
    firings = [Firing(*each) for each in row.firings]
    try:
        with derived.or_nothing(), transaction.atomic():
            _go_on(row.rule_id, row.steps, firings)
    except (OperationalError, Unavailable):
        raise
    except Exception as error:
        failures.note_later(row.rule_id, error)
        text = f"The scene ended at a step that failed: {type(error).__name__}: {error}"[:500]
        notes = [trace.said(row.rule_id, firing.device_key, firing.at, text) for firing in firings]
        transaction.on_commit(partial(trace.keep, notes))


def _go_on(rule_id: int, steps: list[Mapping[str, Any]], firings: list[Firing]) -> None:
    while steps:
        step = steps.pop(0)
        if "wait" in step:
            if steps:
                due = timezone.now() + timedelta(microseconds=parse_span(step["wait"]))
                SceneRun.objects.create(rule_id=rule_id, steps=steps, firings=[list(each) for each in firings], due_at=due)
            return
        kind, changes, action = act.make(step)
        if mine := act.heard(kind, changes, firings):
            with derived.under(mine[0].hops):  # of one look, so the same for all
                action.run(mine)
