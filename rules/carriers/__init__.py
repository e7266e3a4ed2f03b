"""Who keeps a promise, by the promise's kind. A carrier is one small file, one line here, and one test."""

from iotpanel.registry import Registry

from .base import Carrier

CARRIERS: Registry[type[Carrier]] = Registry(
    "carrier",
    {
        "channel": "rules.carriers.channel:ChannelCarrier",
        "forwarder": "rules.carriers.forwarder:ForwarderCarrier",
        "push": "rules.carriers.push:PushCarrier",
        "webhook": "rules.carriers.webhook:WebhookCarrier",
        "mqtt": "rules.carriers.mqtt:MqttCarrier",
    },
)

__all__ = ["CARRIERS", "Carrier"]
