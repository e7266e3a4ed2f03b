"""Channels and forwarders as configuration. `settings` hold `{"secret": "<name>"}` in the place of each secret that is set."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from iotpanel.tenants.configuration.kind import Spec, is_placeholder, placeholder
from iotpanel.tenants.models import Tenant
from rules.adapter_settings import secret_names
from rules.channels import CHANNELS
from rules.channels import records as channels
from rules.forwarders import FORWARDERS
from rules.forwarders import records as forwarders
from rules.models import Channel, Forwarder

from .named import Named

GIVEN = "given in the document"


class Adapted(Named):
    """`records` holds the noun's verbs, `table` its adapters."""

    required = ("kind",)
    records: Any
    table: Mapping[str, Any]

    def rows(self, tenant: Tenant) -> QuerySet[Any]:
        raise NotImplementedError

    def read(self, tenant: Tenant) -> dict[str, Spec]:
        return {row.name: self._written(row) for row in self.rows(tenant)}

    def update(self, tenant: Tenant, slug: str, spec: Spec) -> None:
        row = self.found(tenant, slug)
        gone = dict.fromkeys(set(self.records.secrets_of(row)) - set(_object(spec["settings"])))
        values = {**spec, "settings": {**gone, **_without_placeholders(spec["settings"])}}
        self.change(row, values)

    def change(self, row: Any, values: Spec) -> None:
        raise NotImplementedError

    def found(self, tenant: Tenant, slug: str) -> Any:
        return self.rows(tenant).get(name=slug)

    def whole(self, spec: Any) -> Spec:
        found = super().whole(spec)
        _object(found["settings"])
        if not isinstance(found["kind"], str):
            raise ValidationError({"kind": _("This must be a text.")}, code="bad_type")
        return found

    def shown(self, spec: Spec) -> Spec:
        kind = spec["kind"]
        hidden = secret_names(self.table[kind].SETTINGS) if isinstance(kind, str) and kind in self.table else set()
        settings = _object(spec["settings"])
        masked = {name: placeholder(GIVEN) for name, value in settings.items() if name in hidden and not is_placeholder(value)}
        return {**spec, "settings": {**settings, **masked}} if masked else spec

    def _written(self, row: Any) -> Spec:
        secrets = {name: placeholder(name) for name in self.records.secrets_of(row)}
        spec = {name: getattr(row, name) for name in self.fields()}
        return {**spec, "settings": {**row.settings, **secrets}}


class Channels(Adapted):
    """How people are told."""

    defaults = {"enabled": True, "settings": {}, "title": "", "text": "", "group_wait": 2, "group_interval": 60}
    records = channels
    table = CHANNELS

    def rows(self, tenant: Tenant) -> QuerySet[Channel]:
        return Channel.objects.for_tenant(tenant)

    def create(self, tenant: Tenant, slug: str, spec: Spec) -> None:
        channels.create_channel(tenant, name=slug, **{**spec, "settings": _without_placeholders(spec["settings"])})

    def change(self, row: Channel, values: Spec) -> None:
        channels.update_channel(row, **values)

    def delete(self, tenant: Tenant, slugs: Iterable[str]) -> None:
        for slug in slugs:
            channels.delete_channel(self.found(tenant, slug))


class Forwarders(Adapted):
    """Where data are sent on to."""

    defaults = {"enabled": True, "settings": {}, "stream": "readings", "scope": {}, "template": ""}
    records = forwarders
    table = FORWARDERS

    def rows(self, tenant: Tenant) -> QuerySet[Forwarder]:
        return Forwarder.objects.for_tenant(tenant)

    def create(self, tenant: Tenant, slug: str, spec: Spec) -> None:
        forwarders.create_forwarder(tenant, name=slug, **{**spec, "settings": _without_placeholders(spec["settings"])})

    def change(self, row: Forwarder, values: Spec) -> None:
        forwarders.update_forwarder(row, **values)

    def delete(self, tenant: Tenant, slugs: Iterable[str]) -> None:
        for slug in slugs:
            forwarders.delete_forwarder(self.found(tenant, slug))


def _object(settings: Any) -> dict[str, Any]:
    """Raises ValidationError."""
    if not isinstance(settings, dict):
        raise ValidationError({"settings": _("This must be an object with fields.")})
    return settings


def _without_placeholders(settings: Any) -> dict[str, Any]:
    """Secrets that the document does not hold stay as they are."""
    return {name: value for name, value in _object(settings).items() if not is_placeholder(value)}
