"""Packages: added, described, deleted, found. Whatever is refused has a code of `refusals.CODES`."""

import base64
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from devices.models import Errand, Firmware, Job, Product
from iotpanel.tenants.models import Tenant, User
from iotpanel.tenants.validation import clean_text, save_new

from . import files, signatures, versions
from .files import Stored
from .refusals import refuse

MAX_NOTES = 10_000


def add_package(
    product: Product,
    *,
    version: str,
    pieces: Iterable[bytes],
    size: int | None = None,
    sha256: str = "",
    signature: str = "",
    notes: str = "",
    rollback: bool = False,
    person: User | None = None,
) -> Firmware:
    """A new package. `size` and `sha256` are what the sender says of the image; where they differ, it was cut short on the way.

    One that is older than the product's newest is refused unless `rollback` is true. Raises ApiError with a code of
    `refusals.CODES`, ValidationError for the notes.
    """
    notes = clean_text(notes, limit=MAX_NOTES, blank=True, lines=True)
    _check_version(product, version, rollback)
    raw = _clean_signature(product, signature)
    stored = files.write(pieces, settings.FIRMWARE_MAX_BYTES)
    try:
        _check_image(stored, size, sha256)
        if raw is not None and not signatures.is_right(product.firmware_key, raw, stored.sha256):
            raise refuse("bad_signature", _("The signature is not the one of this image by the product's key."), "signature")
        return _insert(product, version, stored, raw, notes, rollback, person)
    except BaseException:
        files.remove(stored.name)
        raise


@transaction.atomic
def _insert(product: Product, version: str, stored: Stored, raw: bytes | None, notes: str, rollback: bool, person: User | None) -> Firmware:
    Product.objects.select_for_update(no_key=True).get(pk=product.pk)  # two uploads at once: one after the other
    _check_version(product, version, rollback)
    signature = base64.b64encode(raw).decode() if raw else ""
    image: dict[str, Any] = {"size": stored.size, "sha256": stored.sha256, "signature": signature, "file": stored.name}
    found = Firmware(tenant_id=product.tenant_id, product=product, version=version, notes=notes, person=person, **image)
    save_new(found)
    return found


@transaction.atomic
def delete_package(firmware: Firmware) -> None:
    """Row and image. Raises Conflict `in_use` while a job gives it out."""
    working = Errand.objects.filter(firmware=firmware, finished_at=None).exists()
    if working or Job.objects.unfinished().filter(kind="firmware", spec__firmware=firmware.pk).exists():
        raise refuse("in_use", _("A job gives this package out: end it first."), "version")
    name = firmware.file
    firmware.delete()
    transaction.on_commit(lambda: files.remove(name))


def change_notes(firmware: Firmware, notes: str) -> Firmware:
    """Raises ValidationError."""
    firmware.notes = clean_text(notes, limit=MAX_NOTES, blank=True, lines=True)
    firmware.save(update_fields=["notes"])
    return firmware


def product_of(tenant: Tenant, key: Any) -> Product:
    """The tenant's product of this key. Raises ApiError `unknown_product`, for a stranger's as for none."""
    known = Product.objects.for_tenant(tenant)
    found: Product | None = known.filter(key=key).first() if isinstance(key, str) and "\0" not in key else None
    if found is None:
        raise refuse("unknown_product", _("There is no “%(key)s”.") % {"key": str(key)[:64]}, "product")
    return found


def in_order(packages: Iterable[Firmware]) -> list[Firmware]:
    """The newest version first."""
    return sorted(packages, key=lambda each: (versions.parse(each.version).order, each.pk), reverse=True)


def newest(product: Product) -> Firmware | None:
    return next(iter(in_order(Firmware.objects.filter(product=product))), None)


def _check_version(product: Product, version: str, rollback: bool) -> None:
    if not versions.is_version(version):
        raise refuse("bad_version", _("A version is numbers such as 1.4.2, and may go on as in 1.5.0-rc.1+build7."), "version")
    known = list(Firmware.objects.filter(product=product))
    if any(versions.are_same(version, each.version) for each in known):
        raise refuse("version_taken", _("The product has this version already."), "version")
    best = next(iter(in_order(known)), None)
    if best is not None and not rollback and versions.is_older(version, best.version):
        message = _("The product has %(version)s already, which is newer. Say that it is for a rollback where that is meant.")
        raise refuse("older_version", message % {"version": best.version}, "version")


def _clean_signature(product: Product, signature: str) -> bytes | None:
    text = signature.strip()
    if not text and product.firmware_key:
        raise refuse("signature_missing", _("Packages of this product must be signed."), "signature")
    if not text:
        return None
    if not product.firmware_key:
        raise refuse("no_public_key", _("The product has no public key to check a signature with."), "signature")
    raw = signatures.decoded(text, signatures.SIGNATURE_BYTES)
    if raw is None:
        raise refuse("bad_signature", _("An Ed25519 signature: its 64 bytes as base64 or hex."), "signature")
    return raw


def _check_image(stored: Stored, size: int | None, sha256: str) -> None:
    """Whether the image is whole: what arrived is what was said."""
    if stored.size == 0:
        raise refuse("empty", _("The image is empty."), "file")
    if size is not None and size != stored.size:
        message = _("%(size)d bytes were announced and %(found)d arrived: the image was cut short or changed on the way.")
        raise refuse("size_mismatch", message % {"size": size, "found": stored.size}, "size")
    if sha256 and sha256.strip().lower() != stored.sha256:
        raise refuse("sha256_mismatch", _("The image has another SHA-256: it was cut short or changed on the way."), "sha256")
