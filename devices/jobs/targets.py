"""Which devices a job is for."""

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from devices.models import Device, DeviceSet, Group, Job, JobTarget, Product, TargetState
from iotpanel.tenants.models import Tenant

MAX_DEVICES = 100_000
FIELDS = ("product", "group", "labels", "devices", "search", "job")


def chosen(tenant: Tenant, target: Any) -> DeviceSet:
    """The devices that fit all of what the target says: `product`, `group` (with all below it), `labels`, `devices`, `search`,
    `job` (those that succeeded in it).

    Raises ValidationError; a target that says nothing is refused, as nobody means all devices by leaving out everything.
    """
    if not isinstance(target, dict) or not target or set(target) - set(FIELDS):
        raise _bad(_("An object with at least one of: %(fields)s.") % {"fields": ", ".join(FIELDS)})
    found: DeviceSet = Device.objects.for_tenant(tenant)
    if "product" in target:
        found = found.filter(product=_one(Product, tenant, target["product"]))
    if "group" in target:
        found = found.filter(pk__in=Device.objects.in_group(_one(Group, tenant, target["group"])).values("pk"))
    if "labels" in target:
        found = found.filter(labels__contains=_labels(target["labels"]))
    if "devices" in target:
        found = found.filter(key__in=_keys(tenant, target["devices"]))
    if "job" in target:
        done = JobTarget.objects.filter(job=_job(tenant, target["job"]), state=TargetState.SUCCEEDED)
        found = found.filter(pk__in=done.values("device"))
    for word in _words(target.get("search", "")):
        found = found.filter(key__icontains=word) | found.filter(name__icontains=word)
    return found


def _words(value: Any) -> list[str]:
    if not isinstance(value, str) or len(value) > 200 or "\0" in value:
        raise _bad(_("This must be a text."))
    return value.split()


def _labels(value: Any) -> dict[str, str]:
    texts = isinstance(value, dict) and all(isinstance(text, str) and "\0" not in name + text for name, text in value.items())
    if not value or not texts:
        raise _bad(_("Labels are an object of texts."))
    return dict(value)


def _keys(tenant: Tenant, value: Any) -> list[str]:
    """Every one must be there: a typing error must not become a job that does less."""
    keys = isinstance(value, list) and all(isinstance(key, str) and "\0" not in key for key in value)
    if not keys or not 1 <= len(value) <= MAX_DEVICES:
        raise _bad(_("“devices” is a list of keys."))
    known = set(Device.objects.for_tenant(tenant).filter(key__in=value).values_list("key", flat=True))
    if missing := [key for key in value if key not in known]:
        raise _bad(_("There is no “%(key)s”.") % {"key": missing[0][:64]})
    return list(value)


def _one(model: type[Product] | type[Group], tenant: Tenant, key: Any) -> Any:
    found = model.objects.for_tenant(tenant).filter(key=key).first() if isinstance(key, str) and "\0" not in key else None
    if found is None:
        raise _bad(_("There is no “%(key)s”.") % {"key": str(key)[:64]})
    return found


def _job(tenant: Tenant, pk: Any) -> Job:
    whole = isinstance(pk, int) and not isinstance(pk, bool) and 0 <= pk < 2**63
    found: Job | None = Job.objects.for_tenant(tenant).filter(pk=pk).first() if whole else None
    if found is None:
        raise _bad(_("There is no “%(key)s”.") % {"key": str(pk)[:64]})
    return found


def _bad(message: str) -> ValidationError:
    return ValidationError({"target": message})
