"""Forwarders, channels and what was promised, in the admin."""

from . import channel, forwarder, outbox  # noqa: F401 - importing registers them
