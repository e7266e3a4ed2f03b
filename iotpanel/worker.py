"""`celery -A iotpanel worker --uplink`: a worker that also runs the connectors and the uplink.

The uplink is a step of the worker, not of its consumer: losing Valkey stops the consumer and its tasks, and the
uplink goes on.
"""

import threading
from typing import Any

from celery import Celery, bootsteps
from celery.signals import worker_shutting_down
from celery.worker.control import inspect_command
from click import Option
from django.utils.module_loading import import_string

_running: list[Any] = []


class UplinkStep(bootsteps.StartStopStep):
    """Starts the uplink with the worker and drains it before the worker ends."""

    requires = {"celery.worker.components:Timer"}

    def __init__(self, parent: Any, uplink: bool = False, **options: Any) -> None:
        super().__init__(parent, **options)
        self.enabled = uplink

    def include_if(self, parent: Any) -> bool:
        return bool(self.enabled)

    def create(self, parent: Any) -> None:
        # By its path: this module is imported before Django's apps are ready.
        self.service = import_string("telemetry.uplink.service.UplinkService")()
        self._farewell = threading.Thread(target=self.service.stop, name="uplink-farewell", daemon=True)

    def start(self, parent: Any) -> None:
        self.service.start()
        _running.append(self.service)
        worker_shutting_down.connect(self._drain, weak=False)

    def _drain(self, **_: Any) -> None:
        """Begin at the signal, beside Celery's own farewell: that waits for Valkey, for as long as Valkey stands still."""
        if self.service in _running:
            _running.remove(self.service)
            self._farewell.start()

    def stop(self, parent: Any) -> None:
        self._drain()
        if self._farewell.ident:
            self._farewell.join()

    def terminate(self, parent: Any) -> None:
        self.stop(parent)


def install(app: Celery) -> None:
    """Teach a Celery app the option and the step."""
    app.user_options["worker"].add(Option(["--uplink"], is_flag=True, default=False, help="Run the connectors and the uplink too."))
    app.steps["worker"].add(UplinkStep)


@inspect_command()
def uplink(state: Any) -> dict[str, Any]:
    """What the uplink of this worker does: queue, batches, retries, the connection to the broker."""
    return _running[0].figures() if _running else {"running": False}
