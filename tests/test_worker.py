"""The uplink as a step of Celery's worker: it drains at the signal, once, and the worker waits for it."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from celery.signals import worker_shutting_down

from iotpanel import worker
from iotpanel.worker import UplinkStep


class Service:
    """An uplink that notes what is asked of it, and drains when it may."""

    def __init__(self) -> None:
        self.started = self.stops = 0
        self.may_end = threading.Event()
        self.ended = threading.Event()

    def start(self) -> None:
        self.started += 1

    def stop(self) -> None:
        self.stops += 1
        self.may_end.wait(10)
        self.ended.set()

    def figures(self) -> dict[str, Any]:
        return {"queued": 0}


@pytest.fixture
def step(monkeypatch: pytest.MonkeyPatch) -> Iterator[UplinkStep]:
    monkeypatch.setattr(worker, "import_string", lambda _path: Service)
    made = UplinkStep(None, uplink=True)
    made.create(None)
    yield made
    worker_shutting_down.disconnect(made._drain)
    worker._running.clear()


def test_it_drains_at_the_signal_and_does_not_hold_the_signal_up(step: UplinkStep) -> None:
    step.start(None)
    worker_shutting_down.send(sender="uplink", sig="SIGTERM", how="Warm", exitcode=0)
    assert not step.service.ended.is_set()  # Celery says its own goodbyes meanwhile
    step.service.may_end.set()
    assert step.service.ended.wait(10)
    step.stop(None)
    assert (step.service.started, step.service.stops) == (1, 1)


def test_the_worker_ends_only_when_it_has_drained(step: UplinkStep) -> None:
    step.start(None)
    stopping = threading.Thread(target=step.stop, args=(None,))
    stopping.start()
    stopping.join(0.1)
    assert stopping.is_alive()
    step.service.may_end.set()
    stopping.join(10)
    assert step.service.ended.is_set()
    step.terminate(None)
    assert step.service.stops == 1


def test_what_was_never_started_is_not_stopped(step: UplinkStep) -> None:
    step.stop(None)
    assert step.service.stops == 0


def test_it_is_left_out_where_nobody_asked_for_it() -> None:
    assert UplinkStep(None).include_if(None) is False


def test_a_worker_loads_neither_the_addresses_nor_the_admin() -> None:
    """They take as long as all else that it loads, and it has no use for them."""
    loads = "import sys, iotpanel; iotpanel.celery_app.loader.import_default_modules()"
    seen = "print([name for name in sys.modules if name.endswith(('.urls', '.admin')) and not name.startswith('django.')])"
    output = subprocess.run([sys.executable, "-c", f"{loads}; {seen}"], capture_output=True, text=True, check=True).stdout
    assert output.strip() == "[]"
