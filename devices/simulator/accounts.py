"""Registers the fleet by the same verbs as a person would: products from the catalog, groups, devices, secrets."""

from django.db import transaction

from devices.catalog.install import install
from devices.groups import create_group
from devices.models import Device, Group
from devices.provisioning import create_device, rotate_secret
from iotpanel.tenants.models import Tenant

from .fleet import GROUP_NAMES, GROUPS, Member
from .fleet_file import Entry
from .kinds import KINDS

MARK = {"simulated": "yes"}  # a device without this label is somebody's own: hands off


def register(tenant: Tenant, members: list[Member], known: dict[str, Entry]) -> tuple[dict[str, Entry], list[str]]:
    """The file's entries of all members, with a new secret for those that are new or whose secret was lost.

    Also returns the keys that belong to somebody's own device, here or in another tenant; those are left out.
    """
    fleet: dict[str, Entry] = {}
    taken: list[str] = []
    for member in members:
        entry = _entry(tenant, member, known.get(member.key))
        if entry is None:
            taken.append(member.key)
        else:
            fleet[member.key] = entry
    return fleet, taken


@transaction.atomic
def _entry(tenant: Tenant, member: Member, known: Entry | None) -> Entry | None:
    found = Device.objects.filter(key=member.key).first()
    if found and (found.tenant_id != tenant.pk or found.labels.get("simulated") != "yes"):
        return None
    if found and known and known.get("secret"):
        return known
    secret = rotate_secret(found) if found else _create(tenant, member)
    return {"kind": member.kind, "number": member.number, "secret": secret, "history": found is not None}


def _create(tenant: Tenant, member: Member) -> str:
    latitude, longitude = member.location or (None, None)
    _, secret = create_device(
        tenant,
        key=member.key,
        name=member.name,
        product=install(tenant, KINDS[member.kind].product),
        groups=[_group(tenant, GROUPS[member.kind])],
        labels=dict(MARK),
        latitude=latitude,
        longitude=longitude,
    )
    return secret


def _group(tenant: Tenant, key: str) -> Group:
    found = Group.objects.filter(tenant=tenant, key=key).first()
    if found:
        return found
    parent = None if key == "demo" else _group(tenant, "demo")
    return create_group(tenant, key=key, name=GROUP_NAMES[key], parent=parent)
