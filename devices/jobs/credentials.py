"""Jobs that give devices new secrets: each gets its own by its session, and only what it has stored replaces the old one."""

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from devices.downlink.errand_words import SECRET
from devices.models import Credential, Device, ErrandKind
from devices.secrets import make_secret
from iotpanel.tenants.encryption import encrypt
from iotpanel.tenants.models import Role, Tenant

from .errand import ErrandJob, clean_timeout

TIMEOUT = 300.0  # seconds


class CredentialsJob(ErrandJob):
    errand = ErrandKind.CREDENTIALS
    needs = Role.ADMIN

    def clean(self, tenant: Tenant, spec: Any) -> dict[str, Any]:
        if not isinstance(spec, dict) or set(spec) - {"timeout"}:
            raise ValidationError({"spec": _("An object with at most “timeout”.")})
        return {"timeout": clean_timeout(spec, TIMEOUT)}

    def problems(self, spec: dict[str, Any], devices: Sequence[Device]) -> dict[int, str]:
        """A child that talks through its gateway has no secret of its own."""
        have = set(Credential.objects.filter(device__in=devices, revoked_at=None).values_list("device_id", flat=True))
        disabled = {device.pk: "device_disabled" for device in devices if not device.enabled}
        return {device.pk: "no_credentials" for device in devices if device.pk not in have} | disabled

    def contents(self, spec: dict[str, Any], devices: Sequence[Device]) -> dict[int, dict[str, Any]]:
        return {device.pk: {"sealed": encrypt(make_secret(), purpose=SECRET).decode()} for device in devices}

    def describe(self, spec: dict[str, Any]) -> str:
        return _("new secrets")
