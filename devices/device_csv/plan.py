"""The dry run: what each row would do, and what is wrong with it. Nothing is written.

Everything that rows refer to is loaded once, so that ten thousand rows cost a handful of queries.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from devices.models import Device, Group, Product
from devices.provisioning import apply, check_device_key
from iotpanel.tenants.models import Tenant
from iotpanel.tenants.validation import Problems

from .cells import COLUMNS, plain, read_degrees, read_flag, read_keys, read_labels, row_of

MAX_ROWS = 20_000
OVERFLOW = "…"  # the column into which a reader puts cells beyond the header


@dataclass
class RowPlan:
    """One row: its number in the spreadsheet (the header is 1), the device as it would be, and the problems by column."""

    number: int
    cells: dict[str, str]
    device: Device | None = None
    groups: list[Group] | None = None
    before: dict[str, str] | None = None
    problems: dict[str, list[str]] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """new, update, same, or bad."""
        if self.problems:
            return "bad"
        return "new" if self.before is None else "update" if self.changes() else "same"

    def changes(self) -> dict[str, tuple[str, str]]:
        """Column -> (before, after), of those that the row changes."""
        after = self.after()
        return {column: (old, after[column]) for column, old in (self.before or {}).items() if old != after[column]}

    def after(self) -> dict[str, str]:
        assert self.device is not None
        return row_of(self.device, self.groups if self.groups is not None or self.before is not None else ())


@dataclass
class Plan:
    tenant: Tenant
    rows: list[RowPlan] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def bad(self) -> list[RowPlan]:
        return [row for row in self.rows if row.problems]


class _Known:
    """What rows refer to, by key."""

    def __init__(self, tenant: Tenant, keys: list[str]) -> None:
        self.products = {product.key: product for product in Product.objects.for_tenant(tenant)}
        self.groups = {group.key: group for group in Group.objects.for_tenant(tenant)}
        every = Device.objects.for_tenant(tenant).select_related("product", "parent").prefetch_related("groups")
        self.devices = {device.key: device for device in every}
        self.foreign = set(Device.objects.filter(key__in=keys).exclude(tenant=tenant).values_list("key", flat=True))


def make_plan(tenant: Tenant, headers: Iterable[str], rows: Iterable[Mapping[str, str]]) -> Plan:
    """Judges all rows. A column that is left out changes nothing; an empty cell empties (but for name and product)."""
    plan, found = Plan(tenant), list(rows)
    columns = [column for column in COLUMNS if column in headers]
    if "key" not in columns:
        plan.problems.append(_("There is no column “key”. The columns are: %(columns)s.") % {"columns": ", ".join(COLUMNS)})
    if len(found) > MAX_ROWS:
        plan.problems.append(_("At most %(limit)d rows at once.") % {"limit": MAX_ROWS})
    if plan.problems:
        return plan
    known = _Known(tenant, [plain(str(row.get("key") or "")) for row in found])
    seen: dict[str, int] = {}
    for number, row in enumerate(found, start=2):
        cells = {column: plain(str(row.get(column) or "")) for column in columns}
        planned = RowPlan(number, cells)
        if row.get(OVERFLOW):
            planned.problems["row"] = [_("More cells than the header has.")]
        _judge(planned, tenant, known, seen)
        plan.rows.append(planned)
    _judge_parents(plan, known)
    return plan


def _judge(row: RowPlan, tenant: Tenant, known: _Known, seen: dict[str, int]) -> None:
    problems, cells = Problems(), row.cells
    key = cells["key"]
    with problems.of("key"):
        check_device_key(key)
        if key in seen:
            raise ValidationError(_("Row %(number)d has this key already.") % {"number": seen[key]})
        if key in known.foreign:
            raise ValidationError(_("This key is taken."))
    seen.setdefault(key, row.number)
    device = known.devices.get(key)
    row.before = row_of(device) if device else None
    row.device = device or Device(tenant=tenant, key=key, name=key)
    values = _values(cells, row.device, known, problems)
    try:
        row.groups = apply(row.device, values, problems)
    except ValidationError as error:
        row.problems |= error.message_dict


def _values(cells: dict[str, str], device: Device, known: _Known, problems: Problems) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if cells.get("name"):
        values["name"] = cells["name"]
    with problems.of("product"):
        if cells.get("product"):
            values["product"] = _one(known.products, cells["product"], _("There is no product “%(key)s”."))
        elif device.pk is None:
            raise ValidationError(_("A new device needs a product."))
    with problems.of("groups"):
        if "groups" in cells:
            values["groups"] = [_one(known.groups, key, _("There is no group “%(key)s”.")) for key in read_keys(cells["groups"])]
    readers = {"labels": read_labels, "latitude": read_degrees, "longitude": read_degrees, "enabled": read_flag}
    for column in readers.keys() & cells.keys():
        with problems.of(column):
            values[column] = readers[column](cells[column])
    return values


def _one(known: Mapping[str, Any], key: str, otherwise: str) -> Any:
    if key not in known:
        raise ValidationError(otherwise % {"key": key[:80]})
    return known[key]


def _judge_parents(plan: Plan, known: _Known) -> None:
    """After all rows, as a gateway may stand below its children in the file; circles are seen over all of them."""
    planned = {row.device.key: row.device for row in plan.rows if row.device and "key" not in row.problems}
    every = {**known.devices, **planned}
    for row in plan.rows:
        if row.device is None or "parent" not in row.cells:
            continue
        above = row.cells["parent"]
        row.device.parent = every.get(above) if above else None
        if above and row.device.parent is None:
            row.problems["parent"] = [_("There is no device “%(key)s”.") % {"key": above[:80]}]
    for row in plan.rows:
        if row.device is not None and _goes_round(row.device, every):
            row.problems.setdefault("parent", []).append(_("A device cannot be below itself."))


def _goes_round(device: Device, every: Mapping[str, Device]) -> bool:
    seen = {device.key}
    above = device.parent
    while above is not None:
        if above.key in seen:
            return above.key == device.key
        seen.add(above.key)
        above = every[above.key].parent
    return False
