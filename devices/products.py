"""Products: made, changed and deleted, with everything about them checked."""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import ProtectedError, RestrictedError
from django.utils.translation import gettext as _

from iotpanel.api.errors import Conflict
from iotpanel.tenants.limits import LIMITS
from iotpanel.tenants.models import Tenant
from iotpanel.tenants.validation import (
    Problems,
    check_key,
    clean_choice,
    clean_integer,
    clean_json,
    clean_text,
    refuse_new_key,
    refuse_unknown,
    save_new,
)

from .firmware import signatures
from .models import Product
from .models.product import CodecKind, UnknownProperties
from .product_codec import check_codec, clean_samples, clean_script
from .product_retention import MAX_ARCHIVE_DAYS, MAX_DAYS, clean_rollups
from .product_topics import clean_topics, refuse_clashes
from .thing_model_parser import ThingModelError, parse

MAX_SECONDS = 366 * 86_400
MOST_AT_ONCE = 100  # commands of a device that may wait for a reply at a time
_CODEC_FIELDS = {"codec_kind", "codec_script", "codec_samples"}


@transaction.atomic
def create_product(
    tenant: Tenant,
    *,
    key: str,
    name: str,
    thing_model: dict[str, Any] | None = None,
    codec_kind: str = "json",
    codec_script: str = "",
    codec_samples: list[dict[str, Any]] | None = None,
    offline_after: int = 600,
    unknown_properties: str = "accept",
    topics: list[Any] | None = None,
    register_children: bool = False,
    child_product: Product | None = None,
    description: str = "",
    retention_days: int | None = None,
    rollup_retention: dict[str, Any] | None = None,
    rate_limit: float | None = None,
    rate_burst: int | None = None,
    archive_days: int | None = None,
    command_window: int = 1,
    firmware_key: str = "",
) -> Product:
    """A new product. `offline_after` is in seconds, retention in days, `rate_limit` in reports per second and device.

    Raises ValidationError by field (a thing model's problems say their path), Conflict `key_taken`.
    """
    product = Product(tenant=tenant, key=key)
    problems = Problems()
    with problems.of("key"):
        check_key(key)
    values: dict[str, Any] = {"name": name, "description": description, "offline_after": offline_after}
    values |= {
        "thing_model": {} if thing_model is None else thing_model,
        "topics": [] if topics is None else topics,
        "unknown_properties": unknown_properties,
    }
    values |= {"codec_kind": codec_kind, "codec_script": codec_script, "codec_samples": [] if codec_samples is None else codec_samples}
    values |= {"register_children": register_children, "child_product": child_product}
    values |= {"retention_days": retention_days, "rollup_retention": {} if rollup_retention is None else rollup_retention}
    values |= {"rate_limit": rate_limit, "rate_burst": rate_burst, "archive_days": archive_days}
    values |= {"command_window": command_window, "firmware_key": firmware_key}
    _apply(product, values, problems)
    save_new(product)
    return product


@transaction.atomic
def update_product(product: Product, **changes: Any) -> Product:
    """Changes any field of `create_product` but the key. Raises ValidationError by field."""
    refuse_new_key(product.key, changes)
    refuse_unknown(changes, _CLEAN | dict.fromkeys(("topics", "child_product")))
    _apply(product, changes, Problems())
    product.save(update_fields=[*changes, "updated_at"])
    return product


@transaction.atomic
def delete_product(product: Product) -> None:
    """Raises Conflict `in_use` while it has devices."""
    try:
        product.delete()
    except (ProtectedError, RestrictedError) as error:
        raise Conflict("in_use", _("This product has devices: delete them or give them another product first.")) from error


def _apply(product: Product, changes: dict[str, Any], problems: Problems) -> None:
    for field in [name for name in changes if name in _CLEAN]:
        with problems.of(field):
            setattr(product, field, _CLEAN[field](changes[field]))
    with problems.of("topics"):
        if "topics" in changes:
            product.topics = clean_topics(changes["topics"], product.codec_kind)
    with problems.of("child_product"):
        if "child_product" in changes:
            product.child_product = _clean_child_product(product, changes["child_product"])
        if product.register_children and product.child_product is None:
            raise ValidationError(_("Say which product registered children get."), code="required")
    if _CODEC_FIELDS & set(changes) and not _CODEC_FIELDS & set(problems.by_field):
        with problems.of("codec_script"):
            check_codec(product)
    problems.raise_any()
    if changes.get("topics"):
        with problems.of("topics"):
            refuse_clashes(product)
        problems.raise_any()


def _clean_thing_model(value: Any) -> dict[str, Any]:
    try:
        return parse(clean_json(value)).as_dict()
    except ThingModelError as error:
        raise ValidationError(
            [f"{path}: {message}" if path else message for path, message in error.problems], code="bad_thing_model"
        ) from error


def _clean_child_product(product: Product, child: Product | None) -> Product | None:
    if child is not None and child.tenant_id != product.tenant_id:
        raise ValidationError(_("There is no such product."), code="unknown")
    return child


def _clean_flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValidationError(_("This must be true or false."), code="bad_type")
    return value


_CLEAN: dict[str, Callable[[Any], Any]] = {
    "name": clean_text,
    "description": lambda value: clean_text(value, limit=10_000, blank=True, lines=True),
    "thing_model": _clean_thing_model,
    "codec_kind": lambda value: clean_choice(value, CodecKind),
    "codec_script": clean_script,
    "codec_samples": clean_samples,
    "offline_after": lambda value: clean_integer(value, low=0, high=MAX_SECONDS),
    "unknown_properties": lambda value: clean_choice(value, UnknownProperties),
    "register_children": _clean_flag,
    "retention_days": lambda value: None if value is None else clean_integer(value, low=1, high=MAX_DAYS),
    "archive_days": lambda value: None if value is None else clean_integer(value, low=1, high=MAX_ARCHIVE_DAYS),
    "rollup_retention": clean_rollups,
    **LIMITS,
    "command_window": lambda value: clean_integer(value, low=1, high=MOST_AT_ONCE),
    "firmware_key": signatures.clean_key,
}
