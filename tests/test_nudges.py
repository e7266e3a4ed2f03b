"""The nudge to the task workers: nobody waits for a queue that stands still."""

import threading
from typing import Any

import pytest
from celery import current_app
from kombu.exceptions import OperationalError

from iotpanel import nudges
from tests.services import eventually


def test_a_queue_that_stands_still_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    moves, asked = threading.Event(), []

    def stuck(task: str, **_options: Any) -> None:
        asked.append(task)
        moves.wait(30)

    monkeypatch.setattr(current_app, "send_task", stuck)
    for _ in range(3):
        nudges.nudge("some.task", expires=2)  # would not return before `moves` is set, which comes later
    eventually(lambda: asked)
    moves.set()

    assert asked[0] == "some.task"


def test_a_queue_that_is_down_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def down(task: str, **_options: Any) -> None:
        asked.append(task)
        raise OperationalError("no queue")

    monkeypatch.setattr(current_app, "send_task", down)
    nudges.nudge("some.task", expires=2)
    eventually(lambda: len(asked) == 1)
    nudges.nudge("some.task", expires=2)
    eventually(lambda: len(asked) == 2)


def test_each_wanted_task_is_sent_once_in_a_round(monkeypatch: pytest.MonkeyPatch) -> None:
    moves, asked = threading.Event(), []

    def slow(task: str, **options: Any) -> None:
        asked.append((task, options["expires"]))
        moves.wait(30)

    monkeypatch.setattr(current_app, "send_task", slow)
    nudges.nudge("first", expires=1)
    eventually(lambda: asked)
    for task in ("second", "third", "second"):
        nudges.nudge(task, expires=60)
    moves.set()
    eventually(lambda: len(asked) == 3)

    assert asked == [("first", 1), ("second", 60), ("third", 60)]
