"""Which devices and products a list shows."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from devices.models import Device, DeviceSet, Group, Product
from iotpanel.api.fields import KeyOfField
from iotpanel.tenants.models import TenantQuerySet

VIEWS: dict[str, Callable[[DeviceSet], DeviceSet]] = {
    "all": lambda devices: devices,
    "online": DeviceSet.online,
    "offline": DeviceSet.offline,
    "never": DeviceSet.never_seen,
    "disabled": lambda devices: devices.filter(enabled=False),
    "alarm": lambda devices: import_string(settings.DEVICES_IN_ALARM)(devices),
}


class DeviceQuery(serializers.Serializer[Any]):
    product = KeyOfField(Product.objects, required=False)
    group = KeyOfField(Group.objects, required=False, help_text="The group and all below it.")
    parent = KeyOfField(Device.objects, required=False, help_text="The gateway.")  # type: ignore[assignment]
    label = serializers.ListField(  # type: ignore[assignment]
        child=serializers.CharField(max_length=200),
        required=False,
        max_length=32,
        help_text="`name=value`, or a name alone; repeatable: all must fit.",
    )
    online = serializers.BooleanField(required=False, allow_null=True)
    enabled = serializers.BooleanField(required=False, allow_null=True)
    view = serializers.ChoiceField(list(VIEWS), required=False, help_text="As the tabs of the Devices page; `offline` was heard once.")
    search = serializers.CharField(
        required=False, allow_blank=True, max_length=200, help_text="Part of the key, the name or a label's value."
    )

    def validate_label(self, labels: list[str]) -> list[str]:
        if any(label.startswith("=") for label in labels):
            raise serializers.ValidationError(_("Write “name=value”, or a name alone."))
        return labels


def filter_devices(devices: DeviceSet, query: dict[str, Any]) -> DeviceSet:
    """The devices that fit all of what the query (of DeviceQuery) asks."""
    for name in ("product", "parent"):
        if query.get(name) is not None:
            devices = devices.filter(**{name: query[name]})
    if query.get("group") is not None:
        devices = devices.filter(pk__in=devices.in_group(query["group"]).values("pk"))
    for label in query.get("label", ()):
        name, equals, value = label.partition("=")
        devices = devices.filter(labels__contains={name: value}) if equals else devices.filter(labels__has_key=name)
    if query.get("online") is not None:
        devices = devices.online() if query["online"] else devices.exclude(pk__in=Device.objects.online().values("pk"))
    if query.get("enabled") is not None:
        devices = devices.filter(enabled=query["enabled"])
    devices = VIEWS[query.get("view", "all")](devices)
    return _search(devices, query.get("search", ""))


def _search(devices: DeviceSet, text: str) -> DeviceSet:
    for word in text.split():
        devices = devices.filter(Q(key__icontains=word) | Q(name__icontains=word) | Q(labels__icontains=word))
    return devices


class ProductQuery(serializers.Serializer[Any]):
    search = serializers.CharField(required=False, allow_blank=True, max_length=200, help_text="Part of the key or the name.")


def filter_by_name(rows: TenantQuerySet, text: str) -> TenantQuerySet:
    """Those whose key or name holds every word."""
    for word in text.split():
        rows = rows.filter(Q(key__icontains=word) | Q(name__icontains=word))
    return rows
