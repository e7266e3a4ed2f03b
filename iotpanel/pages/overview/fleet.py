"""The fleet by product: how many devices are in which state, and one cell for each of them."""

from typing import Any, NamedTuple

from django.db.models import Case, CharField, Count, Q, Value, When

from devices.models import Device
from iotpanel.pages.alarms.worst import Worst, worst
from iotpanel.tenants.models import Tenant

MOST_CELLS = 3_000  # beyond, a cell stands for a group of devices

ENABLED = Q(enabled=True)
SEEN = Q(presence__last_seen__isnull=False)
STATES = {
    "online": ENABLED & SEEN & Q(presence__online=True),
    "offline": ENABLED & SEEN & Q(presence__online=False),
    "never": ENABLED & ~SEEN,
    "disabled": Q(enabled=False),
}
STATE = Case(*(When(condition, then=Value(state)) for state, condition in STATES.items()), output_field=CharField())


class Product(NamedTuple):
    """One product's devices by state."""

    key: str
    name: str
    total: int
    online: int
    offline: int
    never: int
    disabled: int


def products(tenant: Tenant) -> list[Product]:
    """The products that have devices, the largest first."""
    counts = {state: Count("pk", filter=condition) for state, condition in STATES.items()}
    rows = Device.objects.for_tenant(tenant).values_list("product__key", "product__name").annotate(total=Count("pk"), **counts)
    return [Product(*row) for row in rows.order_by("-total", "product__name")]


def total(found: list[Product]) -> Product:
    """All products together."""
    sums = (sum(column) for column in zip(*(row[2:] for row in found), strict=True)) if found else (0,) * 5
    return Product("", "", *sums)


def cells(tenant: Tenant, count: int) -> dict[str, list[list[str]]]:
    """By product key, `[address, title, state, severity]` of each cell in the order of keys; groups where there are too many devices.

    The severity is that of its worst open alarm, empty where there is none.
    """
    return _groups(tenant) if count > MOST_CELLS else _devices(tenant)


def _devices(tenant: Tenant) -> dict[str, list[list[str]]]:
    rows = Device.objects.for_tenant(tenant).annotate(state=STATE).order_by("key")
    alarms = worst(tenant)
    found: dict[str, list[list[str]]] = {}
    for pk, product, key, name, state in rows.values_list("pk", "product__key", "key", "name", "state"):
        found.setdefault(product, []).append([f"/devices/{key}/", name, state, _severity(alarms.get(pk))])
    return found


def _severity(alarm: Worst | None) -> str:
    return str(alarm.severity) if alarm else ""


def _groups(tenant: Tenant) -> dict[str, list[list[str]]]:
    counts = {state: Count("pk", filter=condition) for state, condition in STATES.items()}
    rows = Device.objects.for_tenant(tenant).values("product__key", "groups__key", "groups__name").annotate(total=Count("pk"), **counts)
    found: dict[str, list[list[str]]] = {}
    for row in rows.order_by("groups__key"):
        address = f"/devices/?product={row['product__key']}" + (f"&group={row['groups__key']}" if row["groups__key"] else "")
        title = f"{row['groups__name'] or '–'}: {row['online']} / {row['total']}"
        found.setdefault(row["product__key"], []).append([address, title, _worst(row)])
    return found


def _worst(row: dict[str, Any]) -> str:
    return next((state for state in ("offline", "online", "never", "disabled") if row[state]), "never")
