"""Groups and products as configuration: how they are written down, and the verbs that make them so."""

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from devices import groups, products
from devices.enrolment import policies
from devices.models import Group, Product, RegistrationPolicy
from iotpanel.tenants.configuration.kind import Kind, Spec
from iotpanel.tenants.models import Tenant

_CODEC = {"kind": "json", "script": "", "samples": []}
_CHILDREN = {"register": False, "product": None}
_REGISTRATION = {
    "mode": "closed",
    "approval": False,
    "key_template": "{serial}",
    "max_devices": 1000,
    "authority": "",
    "common_name": "{serial}",
}
_PLAIN = (
    *("name", "description", "offline_after", "unknown_properties", "topics", "retention_days", "rollup_retention"),
    *("archive_days", "rate_limit", "rate_burst", "command_window", "firmware_key"),
)
_MODEL: dict[str, Any] = {"properties": [], "attributes": [], "events": [], "commands": []}


class Groups(Kind):
    """The trees that devices are sorted into."""

    required = ("name",)
    defaults = {"parent": None}

    def read(self, tenant: Tenant) -> dict[str, Spec]:
        found = Group.objects.for_tenant(tenant).select_related("parent")
        return {group.key: {"name": group.name, "parent": group.parent.key if group.parent else None} for group in found}

    def create(self, tenant: Tenant, slug: str, spec: Spec) -> None:
        groups.create_group(tenant, key=slug, name=spec["name"])

    def update(self, tenant: Tenant, slug: str, spec: Spec) -> None:
        groups.update_group(_group(tenant, slug), name=spec["name"])

    def link(self, tenant: Tenant, slug: str, spec: Spec) -> None:
        """Out of its place first, so that two which change places form no circle on the way."""
        group = _group(tenant, slug)
        wanted = None if spec["parent"] is None else _group(tenant, spec["parent"])
        if group.parent_id != (wanted and wanted.pk):
            groups.update_group(group, parent=wanted)

    def delete(self, tenant: Tenant, slugs: Iterable[str]) -> None:
        """From the leaves to the top."""
        left = list(slugs)
        while left:
            parents = set(Group.objects.for_tenant(tenant).filter(key__in=left).values_list("parent__key", flat=True))
            leaves = [slug for slug in left if slug not in parents]
            for slug in leaves:
                groups.delete_group(_group(tenant, slug))
            left = [slug for slug in left if slug in parents]


class Products(Kind):
    """Kinds of devices: thing model, codec with samples, topics, policies; of self-registration all but the secret."""

    required = ("name",)
    defaults = {
        "description": "", "thing_model": _MODEL, "codec": _CODEC, "offline_after": 600, "unknown_properties": "accept", "topics": [],
        "children": _CHILDREN, "retention_days": None, "rollup_retention": {}, "registration": _REGISTRATION,
        "archive_days": None, "rate_limit": None, "rate_burst": None, "command_window": 1, "firmware_key": "",
    }  # fmt: skip
    names = {
        "codec_kind": "codec.kind",
        "codec_script": "codec.script",
        "codec_samples": "codec.samples",
        "register_children": "children.register",
        "child_product": "children.product",
        **{name: f"registration.{name}" for name in _REGISTRATION},
    }

    def read(self, tenant: Tenant) -> dict[str, Spec]:
        policies_by_product = {policy.product_id: policy for policy in RegistrationPolicy.objects.for_tenant(tenant)}
        found = Product.objects.for_tenant(tenant).select_related("child_product")
        return {product.key: _written(product, policies_by_product.get(product.pk)) for product in found}

    def create(self, tenant: Tenant, slug: str, spec: Spec) -> None:
        product = products.create_product(tenant, key=slug, **_arguments(spec))
        _register(product, spec)

    def update(self, tenant: Tenant, slug: str, spec: Spec) -> None:
        product = _product(tenant, slug)
        children = spec["children"]
        loose = {} if children["product"] else {"register_children": False, "child_product": None}
        products.update_product(product, **_arguments(spec), **loose)
        _register(product, spec)

    def link(self, tenant: Tenant, slug: str, spec: Spec) -> None:
        children = spec["children"]
        if children["product"] or children["register"]:
            child = _product(tenant, children["product"]) if children["product"] else None
            products.update_product(_product(tenant, slug), child_product=child, register_children=children["register"])

    def delete(self, tenant: Tenant, slugs: Iterable[str]) -> None:
        for slug in slugs:
            products.delete_product(_product(tenant, slug))

    def whole(self, spec: Any) -> Spec:
        """Objects within it may leave out fields too."""
        found = super().whole(spec)
        for name, default in (("codec", _CODEC), ("children", _CHILDREN), ("registration", _REGISTRATION), ("thing_model", _MODEL)):
            found[name] = _filled(name, found[name], default)
        return found

    def short(self, spec: Spec) -> Spec:
        found = super().short(spec)
        for name, default in (("codec", _CODEC), ("children", _CHILDREN), ("registration", _REGISTRATION), ("thing_model", _MODEL)):
            if name in found:
                found[name] = {field: value for field, value in found[name].items() if value != default[field] or field == "kind"}
        return found


def _filled(name: str, given: Any, default: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise ValidationError({name: _("This must be an object with fields.")})
    if unknown := [f"{name}.{field}" for field in given if field not in default]:
        raise ValidationError({field: _("There is no such field.") for field in unknown})
    return {field: given.get(field, value) for field, value in default.items()}


def _written(product: Product, policy: RegistrationPolicy | None) -> Spec:
    spec: Spec = {name: getattr(product, name) for name in _PLAIN}
    spec["thing_model"] = {part: product.thing_model.get(part) or [] for part in _MODEL}
    spec["codec"] = {"kind": product.codec_kind, "script": product.codec_script, "samples": product.codec_samples}
    child = product.child_product
    spec["children"] = {"register": product.register_children, "product": child.key if child else None}
    spec["registration"] = {name: getattr(policy, name) for name in _REGISTRATION} if policy else dict(_REGISTRATION)
    return {name: spec[name] for name in ("name", *Products.defaults)}


def _arguments(spec: Spec) -> dict[str, Any]:
    codec = {f"codec_{name}": value for name, value in spec["codec"].items()}
    return {name: spec[name] for name in (*_PLAIN, "thing_model")} | codec


def _register(product: Product, spec: Spec) -> None:
    current = policies.policy_of(product)
    if any(getattr(current, name) != value for name, value in spec["registration"].items()):
        policies.set_policy(product, **spec["registration"])


def _group(tenant: Tenant, slug: Any) -> Group:
    found: Group | None = Group.objects.for_tenant(tenant).filter(key=slug).first() if isinstance(slug, str) else None
    if found is None:
        raise ValidationError({"parent": _("There is no “%(key)s”.") % {"key": str(slug)[:64]}})
    return found


def _product(tenant: Tenant, slug: Any) -> Product:
    found: Product | None = Product.objects.for_tenant(tenant).filter(key=slug).first() if isinstance(slug, str) else None
    if found is None:
        raise ValidationError({"children.product": _("There is no “%(key)s”.") % {"key": str(slug)[:64]}})
    return found
