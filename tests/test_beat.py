"""The schedule looks for what operators have changed, not at every tick."""

import time

import pytest
from django_celery_beat.schedulers import DatabaseScheduler

from iotpanel import beat, celery_app


def test_it_asks_for_changes_every_few_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[DatabaseScheduler] = []
    clock = [100.0]

    def changed(scheduler: DatabaseScheduler) -> bool:
        asked.append(scheduler)
        return True

    monkeypatch.setattr(DatabaseScheduler, "schedule_changed", changed)
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    scheduler = beat.Scheduler(celery_app, lazy=True)

    assert scheduler.schedule_changed() is True
    clock[0] += beat.LOOK_EVERY - 0.1
    assert scheduler.schedule_changed() is False
    clock[0] += 0.2
    assert scheduler.schedule_changed() is True
    assert len(asked) == 2


def test_celery_is_told_of_it() -> None:
    assert celery_app.conf.beat_scheduler == "iotpanel.beat:Scheduler"
