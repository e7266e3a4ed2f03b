"""Rules, alarms, forwarders, channels and what was promised, in the admin."""

from . import alarm, around, channel, forwarder, outbox, rule  # noqa: F401 - importing registers them
