"""What rules have to do although nothing came: times that are over, schedules, scenes, escalations. Once a second."""

import time
from collections.abc import Callable
from datetime import datetime
from functools import partial

import structlog
from django.db import DatabaseError, transaction
from django.utils import timezone

from devices.exceptions import Unavailable
from devices.timestamps import to_datetime, to_microseconds
from telemetry.uplink.memory import memory

from . import closing, derived, escalation, scenes, trace
from .derived import Happening
from .engine import engine, see_derived
from .look import Look
from .models import Rule, RuleState, Schedule
from .roster import Roster
from .scopes import devices_of

PORTION = 500  # states that are looked at in one transaction
MOST_DEVICES = 10_000  # of one run of a schedule
LEFTOVERS = 30.0  # seconds between two looks for alarms whose rule is gone
_next_leftovers = [0.0]
log = structlog.get_logger(__name__)


def sweep(listening_since: datetime | None) -> None:
    """Called by the uplink worker; `listening_since` is None while it does not hear everything."""
    memory().directory.refresh()
    for part in (schedules, scenes.sweep, escalation.sweep, _leftovers):
        _try(part)
    if listening_since is not None:
        since = to_microseconds(listening_since)
        while _try(lambda: states(since)) == PORTION:
            pass


def _try(part: Callable[[], int]) -> int:
    """How much was done; what fails is said, and tried again in a second."""
    try:
        with derived.or_nothing(), transaction.atomic():
            done = part()
            see_derived()
            return done
    except (DatabaseError, Unavailable):
        raise
    except Exception as error:
        log.error("rule_sweep_failed", part=getattr(part, "__name__", "states"), exc_info=error)
        return 0


def _leftovers() -> int:
    """Now and then."""
    if time.monotonic() < _next_leftovers[0]:
        return 0
    _next_leftovers[0] = time.monotonic() + LEFTOVERS
    return closing.leftovers()


def states(silent_from: int) -> int:
    """Look again at rules and devices whose time has come, under their rows' locks; how many there were.

    What is remembered of devices stays out of it: everything is read anew, and the process that remembers is told.
    """
    now = timezone.now()
    due = RuleState.objects.filter(due_at__lte=now).order_by("due_at").select_for_update(skip_locked=True)
    rows = list(due[:PORTION])
    mine = engine()
    if not rows or not mine.fresh():
        _drop(rows)
        return 0
    roster = Roster(mine.book)
    members = roster.members({row.device_id for row in rows})
    look = Look(roster, {row.device_id: _moment(row, now) for row in rows}, 0, lock=True)
    orphans = []
    for row in rows:
        member = members.get(row.device_id)
        if member is None or row.rule_id not in member.plan.rules:
            orphans.append(row)
        else:
            member.facts.silent_from = silent_from - row.skew
            look.again(member, row.rule_id, _moment(row, now)[0])
    _drop(orphans)
    look.keep()
    look.tell()
    mine.settle(look)
    return len(rows)


def _moment(row: RuleState, now: datetime) -> tuple[int, int]:
    """The device's now."""
    at = to_microseconds(now) - row.skew
    return at, at


def _drop(rows: list[RuleState]) -> None:
    """States of rules that no longer run, or no longer concern the device."""
    RuleState.objects.filter(pk__in=[row.pk for row in rows]).delete()


def schedules() -> int:
    """Run the rules whose time has come, on all their devices; then note when they run next."""
    now = timezone.now()
    rows = list(Schedule.objects.filter(due_at__lte=now).select_for_update(skip_locked=True).select_related(None)[:100])
    mine = engine()
    running = mine.fresh()
    for row in rows:
        rule = mine.book.rules.get(row.rule_id) if running else None
        if rule is None or rule.trigger.cron is None:
            row.delete()
            continue
        run(row.rule_id, "schedule", to_microseconds(row.due_at))
        row.due_at = to_datetime(rule.trigger.cron.after(to_microseconds(now)))
        row.save(update_fields=["due_at"])
    return len(rows)


def run(rule_id: int, kind: str, at: int) -> int:
    """Let one rule look at all its devices now, in the caller's transaction; how many they are."""
    rule = Rule.objects.select_related("tenant").get(pk=rule_id)
    ids = list(devices_of(rule.tenant, rule.scope).values_list("pk", flat=True)[: MOST_DEVICES + 1])
    if len(ids) > MOST_DEVICES:
        ids = ids[:MOST_DEVICES]
        transaction.on_commit(
            partial(trace.keep, [trace.said(rule_id, "", at, f"It ran on the first {MOST_DEVICES} of its devices only.")])
        )
    engine().run([Happening(device_id, at, kind, {"scheduled" if kind == "schedule" else "asked": True}, rule_id) for device_id in ids])
    return len(ids)
