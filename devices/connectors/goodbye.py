"""How a client of paho leaves its broker."""

from contextlib import suppress

import paho.mqtt.client as paho


def leave(client: paho.Client) -> None:
    """Say goodbye, and wait until the client's thread has ended.

    The thread ends by itself after a goodbye, and paho forgets it then, which may be between its own two looks at it.
    """
    client.disconnect()
    with suppress(AttributeError):
        client.loop_stop()
