"""Doing what rules ask for, in the batch's transaction, each rule behind a savepoint of its own where one of them fails."""

from collections.abc import Collection, Iterator, Sequence
from functools import partial
from typing import Any

import structlog
from django.db import OperationalError, transaction

from devices.exceptions import Unavailable
from iotpanel import metrics

from . import derived, failures, mutes, trace
from .actions import ACTIONS, Action
from .compiled import Compiled
from .derived import Thing
from .firing import CLEARED, RAISED, REPEATED, Firing
from .look import Look
from .models import Maintenance

MOST_REMEMBERED = 20_000
CALLS = frozenset({"notify", "webhook"})  # what calls people: not while they work on the thing
log = structlog.get_logger(__name__)
Ready = list[tuple[str, frozenset[str], Action]]
_ready: dict[tuple[int, int], Ready] = {}


def on(look: Look, windows: Sequence[Maintenance]) -> None:
    """Run the actions of a look's firings; what they make that rules have to look at is derived. `windows`: maintenance."""
    with derived.under(look.hops):
        off = {rule.id for rule, error in look.failures.values() if failures.note(rule, error)}
        wanted = [(rule, mutes.muted(firings, windows)) for rule, firings in look.firings.values() if rule.id not in off]
        if wanted:
            _all(wanted)


def _all(wanted: Sequence[tuple[Compiled, Sequence[Firing]]]) -> None:
    try:
        with derived.or_nothing(), transaction.atomic():
            for rule, firings in wanted:
                _run(rule, firings)
    except (OperationalError, Unavailable):
        raise
    except Exception:  # one of them: each alone, so that it costs itself only
        for rule, firings in wanted:
            _run_alone(rule, firings)
    for _, firings in wanted:
        for firing in firings:
            metrics.RULE_FIRINGS.labels(firing.change).inc()


def cut(look: Look, hops: int) -> None:
    """Say of each rule that took part that a loop was cut."""
    for rule, firings in look.firings.values():
        cut_firings(firings, hops)
        log.warning("rule_loop_cut", rule=rule.id, name=rule.name, hops=hops)


def cut_firings(firings: Sequence[Firing], hops: int) -> None:
    """Count a loop that was cut, and say it in the trace."""
    metrics.RULE_LOOPS.inc()
    text = f"A loop was cut: rules had led to each other {hops} times."
    notes = [trace.said(firing.rule_id, firing.device_key, firing.at, text) for firing in firings]
    transaction.on_commit(partial(trace.keep, notes))


def cut_things(things: Sequence[Thing], hops: int) -> None:
    """Say that a loop was cut whose rules are not at hand: it went over a command's reply, or a scene's pause."""
    metrics.RULE_LOOPS.inc()
    log.warning("rule_loop_cut", devices=sorted({thing.device_id for thing in things})[:10], hops=hops)


def _run_alone(rule: Compiled, firings: Sequence[Firing]) -> None:
    """Each action behind a savepoint of its own: a webhook whose template stumbles over a value costs no alarm."""
    wrong: Exception | None = None
    for action, mine in _chosen(rule, firings):
        try:
            with derived.or_nothing(), transaction.atomic():
                action.run(mine)
        except (OperationalError, Unavailable):
            raise
        except Exception as error:
            wrong = wrong or error
    if wrong is not None:
        failures.note(rule, wrong)


def _run(rule: Compiled, firings: Sequence[Firing]) -> None:
    for action, mine in _chosen(rule, firings):
        action.run(mine)


def _chosen(rule: Compiled, firings: Sequence[Firing]) -> Iterator[tuple[Action, Sequence[Firing]]]:
    """The rule's actions, each with the firings that it is for."""
    for kind, changes, action in ready(rule):
        if mine := heard(kind, changes, firings):
            yield action, mine


def heard(kind: str, changes: Collection[str], firings: Sequence[Firing]) -> list[Firing]:
    """Those firings that an action is for; while somebody works on the device none of what calls people."""
    return [firing for firing in firings if firing.change in changes and not (firing.muted and kind in CALLS)]


def ready(rule: Compiled) -> Ready:
    """The rule's actions, made once."""
    key = (rule.id, rule.version)
    found = _ready.get(key)
    if found is None or not rule.id:
        if len(_ready) >= MOST_REMEMBERED:
            _ready.clear()
        found = _ready[key] = [make(settings) for settings in rule.actions]
    return found


def make(settings: Any) -> tuple[str, frozenset[str], Action]:
    """An action by what a rule says of it, with the changes that it wants: `on`, else those of its kind."""
    kind = settings["kind"]
    of_kind = ACTIONS[kind]
    changes = settings.get("on") or getattr(of_kind, "ON", (RAISED, REPEATED))
    own = {name: value for name, value in settings.items() if name not in ("kind", "on")}
    return kind, frozenset(changes), of_kind(own)


__all__ = ["CLEARED", "cut", "make", "on", "ready"]
