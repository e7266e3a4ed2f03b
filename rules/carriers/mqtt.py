"""What rules publish to devices, on the platform's own broker: topics below `devices/<key of the tenant>/down/` only."""

from collections.abc import Sequence
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as paho
from django.conf import settings
from django.utils.translation import gettext as _
from paho.mqtt.enums import CallbackAPIVersion

from devices.connectors.goodbye import leave
from devices.models import Device
from rules.delivery.parcels import Parcel
from rules.models import Target
from rules.outside.errors import Down, Rejected
from rules.topics import device_of

SECONDS = 10.0


class MqttCarrier:
    keeps = True
    gathers = False
    recorded = True
    batch = 100
    sent = ""

    def __init__(self, target: Target) -> None:
        self.tenant = target.tenant
        self.stamp = self.stamp_of(target)
        self.client: paho.Client | None = None

    @staticmethod
    def stamp_of(target: Target) -> object:
        return "broker"

    def send(self, parcels: Sequence[Parcel]) -> str:
        """Publish at least once each; the broker's acknowledgement is the answer."""
        refused = self._foreign(parcels)
        if refused and len(parcels) == 1:
            raise Rejected(refused[0])
        if refused:
            raise Rejected(_("A topic of another's device."))
        client = self.client or self._connect()
        said = [parcel.entry for parcel in parcels]
        waiting = [client.publish(each["topic"], each["body"].encode(), each.get("qos", 1), each.get("retain", False)) for each in said]
        for info in waiting:
            try:
                info.wait_for_publish(SECONDS)
            except (RuntimeError, ValueError) as error:
                raise Down(str(error)) from error
            if not info.is_published():
                raise Down(_("The broker does not answer."))
        self.sent = f"{said[0]['topic']} {said[0]['body']}"
        return _("Taken by the broker.")

    def _foreign(self, parcels: Sequence[Parcel]) -> dict[int, str]:
        """What is wrong with topics, by the place of the message."""
        keys = {place: device_of(str(parcel.entry.get("topic", ""))) for place, parcel in enumerate(parcels)}
        known = set(
            Device.objects.for_tenant(self.tenant).filter(key__in=[key for key in keys.values() if key]).values_list("key", flat=True)
        )
        words = str(_("A topic must be devices/<key>/down/..., of a device that exists."))
        return {place: words for place, key in keys.items() if key not in known}

    def _connect(self) -> paho.Client:
        url = urlsplit(settings.MQTT_URL)
        client = paho.Client(CallbackAPIVersion.VERSION2)
        if url.username:
            client.username_pw_set(unquote(url.username), unquote(url.password or ""))
        if url.scheme == "mqtts":
            client.tls_set()
        try:
            client.connect(url.hostname or "127.0.0.1", url.port or 1883, keepalive=60)
        except OSError as error:
            raise Down(str(error)) from error
        client.loop_start()
        self.client = client
        return client

    def rest(self) -> float:
        return 0.0

    def close(self) -> None:
        if self.client is not None:
            leave(self.client)
