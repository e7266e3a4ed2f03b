"""Jobs that bring firmware onto devices: one version of a product, or each device's version before."""

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from devices.firmware.versions import is_older
from devices.models import Device, ErrandKind, Firmware, RunningFirmware
from iotpanel.tenants.models import Tenant

from .errand import ALREADY, ErrandJob, clean_flag, clean_timeout

FIELDS = ("product", "version", "rollback", "previous", "timeout", "firmware")


class FirmwareJob(ErrandJob):
    errand = ErrandKind.OTA

    def clean(self, tenant: Tenant, spec: Any) -> dict[str, Any]:
        """`product` and `version`, or `previous`; `rollback` allows an older version than a device runs."""
        if not isinstance(spec, dict) or set(spec) - set(FIELDS):
            raise ValidationError({"spec": _("An object with “product” and “version”, or with “previous”; and “rollback”, “timeout”.")})
        rollback, previous = clean_flag(spec, "rollback"), clean_flag(spec, "previous")
        asked = {"rollback": rollback, "previous": previous, "timeout": clean_timeout(spec)}
        if previous:
            return asked | {"product": "", "version": "", "firmware": None}
        found = self._package(tenant, spec.get("product"), spec.get("version"))
        return asked | {"product": found.product.key, "version": found.version, "firmware": found.pk}

    @staticmethod
    def _package(tenant: Tenant, product: Any, version: Any) -> Firmware:
        texts = all(isinstance(text, str) and "\0" not in text for text in (product, version))
        known = Firmware.objects.for_tenant(tenant).select_related("product")
        found: Firmware | None = known.filter(product__key=product, version=version).first() if texts else None
        if found is None:
            raise ValidationError({"spec": _("There is no such version of this product.")}, code="unknown_version")
        return found

    def problems(self, spec: dict[str, Any], devices: Sequence[Device]) -> dict[int, str]:
        running = RunningFirmware.objects.in_bulk([device.pk for device in devices])
        packages = self._packages(spec, devices, running)
        found = {device.pk: self._problem(spec, device, packages.get(device.pk), running.get(device.pk)) for device in devices}
        return {pk: code for pk, code in found.items() if code}

    def contents(self, spec: dict[str, Any], devices: Sequence[Device]) -> dict[int, dict[str, Any]]:
        running = RunningFirmware.objects.in_bulk([device.pk for device in devices])
        return {pk: {"firmware": package} for pk, package in self._packages(spec, devices, running).items()}

    def describe(self, spec: dict[str, Any]) -> str:
        return _("version before") if spec.get("previous") else f"{spec.get('product', '')} {spec.get('version', '')}".strip()

    @staticmethod
    def _packages(spec: dict[str, Any], devices: Sequence[Device], running: dict[int, RunningFirmware]) -> dict[int, Firmware]:
        """The package for each device that there is one for."""
        if not spec["previous"]:
            package = Firmware.objects.filter(pk=spec["firmware"]).first()
            return dict.fromkeys((device.pk for device in devices), package) if package else {}
        wanted = {device.pk: (device.product_id, running[device.pk].before) for device in devices if device.pk in running}
        products, versions = {product for product, _version in wanted.values()}, {version for _product, version in wanted.values()}
        known = Firmware.objects.filter(product__in=products, version__in=versions)
        there = {(package.product_id, package.version): package for package in known}
        return {pk: there[place] for pk, place in wanted.items() if place in there}

    @staticmethod
    def _problem(spec: dict[str, Any], device: Device, package: Firmware | None, running: RunningFirmware | None) -> str:
        now = running.version if running else ""
        if not device.enabled:
            return "device_disabled"
        if package is None:
            return "no_previous_version" if spec["previous"] else "package_gone"
        if package.product_id != device.product_id:
            return "wrong_product"
        if package.version == now:
            return ALREADY
        if spec["previous"]:
            return "" if is_older(package.version, now) else "no_previous_version"
        return "older_version" if is_older(package.version, now) and not spec["rollback"] else ""
