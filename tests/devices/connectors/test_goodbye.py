"""A client leaves, whatever its thread does meanwhile."""

import threading
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from devices.connectors.goodbye import leave


class Hasty(paho.Client):
    """Its thread is there at the first two looks, and has ended when somebody wants to wait for it."""

    looks = 0

    @property
    def _thread(self) -> Any:
        self.looks += 1
        return threading.Thread() if self.looks < 3 else None

    @_thread.setter
    def _thread(self, _thread: Any) -> None:
        self.looks = 0


def test_a_thread_that_ends_meanwhile_is_no_fault() -> None:
    client = Hasty(CallbackAPIVersion.VERSION2)
    leave(client)
    assert client.looks == 3, "it was about to wait for the thread"
