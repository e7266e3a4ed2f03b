"""The ledger's rows: each device with its counts and what it misses, in the order that somebody asked for."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from django.db.models import Q

from devices.models import Device
from iotpanel.pages.overview.window import Window
from iotpanel.tenants.models import Tenant
from telemetry import gaps, ledger
from telemetry.gaps import Missing, Period
from telemetry.ledger import Counts

SORTS = ("name", "received", "stored", "duplicate", "rejected", "dead_lettered", "missing")
EXACTLY = 200  # devices whose gaps are counted in the readings to sort by them; more are sorted by an estimate
SAMPLE = 30  # newest reports that a rhythm is learnt from, where it is learnt of many devices


class Row(NamedTuple):
    """`expected` is None where the device comes as it likes; then nothing can be missing."""

    device: Device
    counts: Counts
    expected: Period | None
    missing: Missing


def devices_of(tenant: Tenant, search: str) -> list[Device]:
    """The tenant's devices whose name or key contains the text, by key."""
    found = Device.objects.for_tenant(tenant).select_related("product").order_by("key")
    return list(found.filter(Q(name__icontains=search) | Q(key__icontains=search)) if search else found)


def ordered(devices: Sequence[Device], counts: dict[int, Counts], sort: str, window: Window) -> list[Device]:
    """The devices in this order (a name of SORTS, `-` before it turns it), equal ones by key."""
    name, down = sort.removeprefix("-"), sort.startswith("-")
    if name == "name":
        return sorted(devices, key=lambda device: (device.name.lower(), device.key), reverse=down)
    if name == "missing":
        weights = _missing(devices, counts, window)
    else:
        weights = {device.pk: getattr(counts.get(device.pk, Counts()), name) for device in devices}
    return sorted(devices, key=lambda device: weights.get(device.pk, 0), reverse=down)


def _missing(devices: Sequence[Device], counts: dict[int, Counts], window: Window) -> dict[int, float]:
    """How many reports each device misses: counted for a few, for many what was expected less what was stored."""
    expected = gaps.periods(devices, window.since, window.until, SAMPLE)
    if len(devices) <= EXACTLY:
        return {device_id: found.missing for device_id, found in gaps.of_devices(expected, window.since, window.until).items()}
    born = {device.pk: max(device.created_at, window.since) for device in devices}
    return {
        device_id: max(0, (window.until - born[device_id]).total_seconds() / period.seconds - counts.get(device_id, Counts()).stored)
        for device_id, period in expected.items()
    }


def rows(devices: Sequence[Device], counts: dict[int, Counts], window: Window) -> Iterable[Row]:
    """These devices' rows, gaps counted in their readings."""
    expected = gaps.periods(devices, window.since, window.until)
    found = gaps.of_devices(expected, window.since, window.until)
    for device in devices:
        yield Row(device, counts.get(device.pk, Counts()), expected.get(device.pk), found.get(device.pk, Missing()))


def counts_of(devices: Sequence[Device], window: Window) -> dict[int, Counts]:
    return ledger.by_device([device.pk for device in devices], since=window.since, until=window.until) if devices else {}
