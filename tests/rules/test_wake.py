"""The nudge to the task workers: nobody waits for a queue that stands still."""

import threading
from typing import Any

import pytest
from celery import current_app
from kombu.exceptions import OperationalError

from rules.delivery import wake
from tests.services import eventually


def test_a_queue_that_stands_still_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    moves, asked = threading.Event(), []

    def stuck(task: str, **_options: Any) -> None:
        asked.append(task)
        moves.wait(30)

    monkeypatch.setattr(current_app, "send_task", stuck)
    for _ in range(3):
        wake.wake()  # would not return before `moves` is set, which comes later
    eventually(lambda: asked)
    moves.set()

    assert asked[0] == "rules.tasks.deliver_outbox"


def test_a_queue_that_is_down_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def down(task: str, **_options: Any) -> None:
        asked.append(task)
        raise OperationalError("no queue")

    monkeypatch.setattr(current_app, "send_task", down)
    wake.wake()
    eventually(lambda: len(asked) == 1)
    wake.wake()
    eventually(lambda: len(asked) == 2)
