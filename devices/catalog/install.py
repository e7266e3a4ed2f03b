"""Takes ready products into a tenant."""

from typing import Any

from django.db import transaction

from devices.models import Product
from devices.products import create_product
from iotpanel.tenants.models import Tenant

from . import load


@transaction.atomic
def install(tenant: Tenant, name: str) -> Product:
    """The tenant's product of this key, made from the catalog where it has none; its children's product comes with it.

    A product of that key that is there already is left as it is. Raises UnknownProduct.
    """
    body = load(name)
    if found := Product.objects.filter(tenant=tenant, key=body["key"]).first():
        return found
    codec, children = body["codec"], body.get("children", {})
    more: dict[str, Any] = {field: body[field] for field in ("offline_after", "unknown_properties", "topics") if field in body}
    if child := children.get("product"):
        more |= {"register_children": children.get("register", False), "child_product": install(tenant, child)}
    return create_product(
        tenant,
        key=body["key"],
        name=body["name"],
        description=body["description"],
        thing_model=body["thing_model"],
        codec_kind=codec["kind"],
        codec_script=codec.get("script", ""),
        codec_samples=codec.get("samples", []),
        **more,
    )
