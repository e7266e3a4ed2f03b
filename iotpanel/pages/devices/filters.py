"""Which devices a list shows, as its address says: `?view=offline&q=…&product=…&group=…&label=site=north&sort=-seen`."""

from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import urlencode

from django.db.models import Q
from django.http import QueryDict
from django.utils.translation import gettext as _

from devices.api.filters import VIEWS
from devices.models import Device, DeviceSet, Group, Product
from iotpanel.tenants.models import Tenant

SORTS = ("key", "name", "product", "seen")
MOST = 200  # characters of a filter's text


def _texts(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(value.replace("\x00", "")[:MOST] for value in values if value.strip())


class Filters(NamedTuple):
    """What somebody asked for; unknown views and orders are the usual ones."""

    view: str = "all"
    query: str = ""
    product: str = ""
    group: str = ""
    labels: tuple[str, ...] = ()
    sort: str = "key"

    @classmethod
    def of(cls, asked: QueryDict) -> "Filters":
        one = {name: (_texts(asked.getlist(name)) or ("",))[0].strip() for name in ("view", "q", "product", "group", "sort")}
        view = one["view"] if one["view"] in VIEWS else "all"
        sort = one["sort"] if one["sort"].removeprefix("-") in SORTS else "key"
        return cls(view, one["q"], one["product"], one["group"], _texts(asked.getlist("label"))[:8], sort)

    @property
    def narrows(self) -> bool:
        """Whether it leaves out any device."""
        return self._replace(sort="key") != Filters()

    def address(self, **changes: object) -> str:
        """The query of the list with some filters changed."""
        asked = self._replace(**changes)  # type: ignore[arg-type]
        pairs = [
            ("view", asked.view if asked.view != "all" else ""),
            ("q", asked.query),
            ("product", asked.product),
            ("group", asked.group),
        ]
        pairs += [("label", label) for label in asked.labels] + [("sort", asked.sort if asked.sort != "key" else "")]
        return "?" + urlencode([pair for pair in pairs if pair[1]])


class Chip(NamedTuple):
    """A filter in force, with the list's address without it."""

    label: str
    value: str
    without: str


def _label(text: str) -> Q:
    key, _equals, value = (part.strip() for part in text.partition("="))
    return Q(labels__contains={key: value}) if value else Q(labels__has_key=key)


def _search(text: str) -> Q:
    return _label(text) if "=" in text else Q(name__icontains=text) | Q(key__icontains=text)


def narrowed(tenant: Tenant, filters: Filters) -> DeviceSet:
    """The tenant's devices under all filters but the view; a product or group that is not there leaves none."""
    devices: DeviceSet = Device.objects.for_tenant(tenant)
    if filters.product:
        devices = devices.filter(product__key=filters.product)
    if filters.group:
        group = Group.objects.for_tenant(tenant).filter(key=filters.group).first()
        devices = devices.in_group(group) if group else devices.none()
    for label in filters.labels:
        devices = devices.filter(_label(label))
    return devices.filter(_search(filters.query)) if filters.query else devices


def shown_by(tenant: Tenant, filters: Filters) -> DeviceSet:
    """The tenant's devices under all filters."""
    return VIEWS[filters.view](narrowed(tenant, filters))


def chips(tenant: Tenant, filters: Filters) -> list[Chip]:
    """The filters in force, in words."""
    shown = []
    if filters.product:
        product = Product.objects.for_tenant(tenant).filter(key=filters.product).first()
        shown.append(Chip(_("Product"), product.name if product else filters.product, filters.address(product="")))
    if filters.group:
        group = Group.objects.for_tenant(tenant).filter(key=filters.group).first()
        shown.append(Chip(_("Group"), group.name if group else filters.group, filters.address(group="")))
    for label in filters.labels:
        rest = tuple(other for other in filters.labels if other != label)
        shown.append(Chip(_("Label"), label.replace("=", " = "), filters.address(labels=rest)))
    return shown
