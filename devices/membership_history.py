"""Which groups and labels devices had, read by time. Triggers note each change (migration 0017). Instants are µs since 1970."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from django.db.models import DateTimeField, Exists, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Greatest

from devices.models import DeviceSet, GroupChange, LabelChange, TreeChange
from devices.timestamps import to_datetime, to_microseconds

Tree = dict[int, tuple[str, int | None]]  # by group: its key, and the group above it


def trees(tenant_id: int, start: int, end: int) -> Iterator[tuple[int, Tree]]:
    """How a tenant's groups stood at `start`, and after each change before `end`; the same mapping each time, changed in place.

    A group counts before it is known as it was first known: before it was made it had no devices.
    """
    tree: Tree = {}
    later: dict[int, Tree] = {}
    rows = TreeChange.objects.filter(tenant_id=tenant_id, gone=False).order_by("at", "id")
    for at, group_id, key, parent_id in rows.values_list("at", "group_id", "key", "parent_id").iterator():
        moment = to_microseconds(at)
        if moment <= start or group_id not in tree:
            tree[group_id] = key, parent_id
        elif moment < end:
            later.setdefault(moment, {})[group_id] = key, parent_id
    yield start, tree
    for moment in sorted(later):
        tree.update(later[moment])
        yield moment, tree


def labels_of(device_id: int) -> Iterator[tuple[int, Mapping[str, str]]]:
    """All that is known of a device's labels, by time."""
    rows = LabelChange.objects.filter(device_id=device_id).order_by("at", "id")
    return ((to_microseconds(at), labels) for at, labels in rows.values_list("at", "labels"))


def groups_of(device_id: int, among: Collection[int]) -> Iterator[tuple[int, int, bool]]:
    """When a device came (True) into these groups, and when it went, by time."""
    rows = GroupChange.objects.filter(device_id=device_id, group_id__in=among).order_by("at", "id")
    return ((to_microseconds(at), group_id, inside) for at, group_id, inside in rows.values_list("at", "group_id", "inside"))


def were_in(devices: DeviceSet, groups: Collection[int], start: int, end: int) -> DeviceSet:
    """Those that were in one of these groups at some time of [start, end); before it is known, as it was first known."""
    rows = GroupChange.objects.filter(device_id=OuterRef("pk"), group_id__in=groups, inside=True)
    later = GroupChange.objects.filter(device_id=OuterRef("device_id"), group_id=OuterRef("group_id"), pk__gt=OuterRef("pk"))
    return _overlapping(devices, rows, later, start, end)


def had_labels(devices: DeviceSet, labels: Mapping[str, str], start: int, end: int) -> DeviceSet:
    """Those that had all these labels at some time of [start, end); before it is known, as it was first known."""
    rows = LabelChange.objects.filter(device_id=OuterRef("pk"), labels__contains=labels)
    later = LabelChange.objects.filter(device_id=OuterRef("device_id"), pk__gt=OuterRef("pk"))
    return _overlapping(devices, rows, later, start, end)


def _overlapping(devices: DeviceSet, rows: QuerySet[Any], later: QuerySet[Any], start: int, end: int) -> DeviceSet:
    """Devices with a row that held at some time: not over when it begins to count, and not begun when it is over."""
    first = LabelChange.objects.filter(device_id=OuterRef("pk")).order_by("at").values("at")[:1]
    begins = Greatest(Subquery(first), Value(to_datetime(start), output_field=DateTimeField()))
    over = Exists(later.filter(at__lte=OuterRef(OuterRef("begins"))))
    held = rows.filter(Q(at__lt=to_datetime(end)) | Q(at__lte=OuterRef("begins"))).filter(~over)
    return devices.alias(begins=begins).filter(Exists(held))
