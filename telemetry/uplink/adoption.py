"""Adopting the child that a gateway spoke for and that we did not know: made, or moved, below it, and its letters replayed."""

from typing import NamedTuple

from django.db import transaction
from django.utils.translation import gettext as _

from devices import topics
from devices.models import Device, Product
from devices.provisioning import adopt_child, update_device
from iotpanel.api.errors import Conflict
from iotpanel.tenants.models import Tenant, User
from telemetry.models import DeadLetterRecord

from .replay_runs import Replayed, replay_all

REASONS = ("unknown_child", "wrong_device")


class Adopted(NamedTuple):
    device: Device
    done: Replayed


def gateway_of(letter: DeadLetterRecord) -> Device | None:
    """The gateway that spoke, where this letter is about a child that it might adopt."""
    if letter.reason not in REASONS or letter.replayed_at is not None or letter.tenant_id is None:
        return None
    key = topics.speaker(letter.topic)
    return Device.objects.filter(tenant_id=letter.tenant_id, key=key).select_related("product__child_product").first() if key else None


def adopt(letter: DeadLetterRecord, *, product: Product | None = None, name: str = "", adopted_by: User | None = None) -> Adopted:
    """Put the letter's device below the gateway that spoke for it, and replay what waits for that.

    A device that exists is moved and keeps its product and its history; a new one gets `product`, or the one that the gateway's
    product names. Raises Conflict `not_adoptable`, `key_taken`; ValidationError by field.
    """
    with transaction.atomic():
        gateway = gateway_of(letter)
        if gateway is None:
            raise Conflict("not_adoptable", _("This letter is not about a child that could be adopted."))
        device = _place(gateway.tenant, gateway, letter.key, product, name)
    waiting = DeadLetterRecord.objects.open().filter(tenant_id=letter.tenant_id, key=letter.key, reason__in=REASONS)
    mine = waiting.filter(topic__startswith=topics.up(gateway.key, "gateway", ""))
    return Adopted(device, replay_all(mine, tenant=gateway.tenant, started_by=adopted_by))


def _place(tenant: Tenant, gateway: Device, key: str, product: Product | None, name: str) -> Device:
    known = Device.objects.for_tenant(tenant).filter(key=key).first()
    if known is not None:
        return update_device(known, parent=gateway)
    chosen = product or gateway.product.child_product
    if chosen is None:
        raise Conflict("product_needed", _("Say which product the child is of: the gateway's product names none."))
    return adopt_child(gateway, key=key, product=chosen, name=name)
