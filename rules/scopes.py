"""The devices that a scope means, as a query; and their products."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from devices.models import Device, DeviceSet, Group, Product
from iotpanel.tenants.models import Tenant

from .compiled import Scope, parse_scope
from .problems import BadRule

MOST_PRODUCTS = 200


def devices_of(tenant: Tenant, scope: Mapping[str, Any]) -> DeviceSet:
    """The enabled devices of a scope; none where its group is gone. Raises BadRule for what is no scope."""
    parsed = parse_scope(scope)
    found = named(tenant, parsed)
    if parsed.group is not None:
        group = Group.objects.for_tenant(tenant).filter(key=parsed.group).first()
        found = found.filter(pk__in=found.in_group(group).values("pk")) if group else found.none()
    for name, value in parsed.labels:
        found = found.filter(labels__contains={name: value})
    return found


def named(tenant: Tenant, scope: Scope) -> DeviceSet:
    """The enabled devices that a scope means by product and key, whatever their groups and labels are."""
    found: DeviceSet = Device.objects.for_tenant(tenant).filter(enabled=True)
    if scope.product is not None:
        found = found.filter(product__key=scope.product)
    if scope.devices is not None:
        found = found.filter(key__in=scope.devices)
    return found.order_by("key")


def check_scope(tenant: Tenant, scope: Any) -> None:
    """Raises BadRule for what is no scope, or names what does not exist."""
    products_of(tenant, parse_scope(scope))


def products_of(tenant: Tenant, scope: Scope, path: str = "scope") -> list[Product]:
    """The products of the devices that a scope may mean. Raises BadRule where it names what does not exist."""
    mine = Product.objects.for_tenant(tenant)
    devices = Device.objects.for_tenant(tenant)
    if scope.group is not None:
        group = Group.objects.for_tenant(tenant).filter(key=scope.group).first()
        if group is None:
            raise BadRule(f"{path}.group", _("There is no group “%(key)s”.") % {"key": scope.group[:64]})
        devices = devices.in_group(group)
    if scope.devices is not None:
        there = set(devices.filter(key__in=scope.devices).values_list("key", flat=True))
        if missing := sorted(scope.devices - there):
            raise BadRule(f"{path}.devices", _("There is no device “%(key)s”.") % {"key": missing[0][:64]})
        devices = devices.filter(key__in=scope.devices)
    if scope.product is not None:
        product = mine.filter(key=scope.product).first()
        if product is None:
            raise BadRule(f"{path}.product", _("There is no product “%(key)s”.") % {"key": scope.product[:64]})
        return [product]
    for name, value in scope.labels:
        devices = devices.filter(labels__contains={name: value})
    found = list(mine.filter(pk__in=devices.values("product_id"))[:MOST_PRODUCTS])
    return found or list(mine[:MOST_PRODUCTS])  # a group may be empty for now
