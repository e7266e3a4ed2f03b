"""Forwarders: made, changed, deleted and tried, with everything about them checked."""

from typing import Any

import orjson
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from iotpanel.tenants.models import Tenant
from iotpanel.tenants.validation import Problems, clean_text, refuse_unknown
from rules import adapter_records, routes
from rules.models import Forwarder, Stream, Target
from rules.names import save_named
from rules.template import MAX_TEXT
from rules.template_filters import TemplateError
from rules.uses import refuse_used

from . import FORWARDERS
from .contexts import ALWAYS, NAMES, Anything, Facts, context_of, sample
from .scope import clean_scope
from .shapes import Shape

KIND = "forwarder"
_FIELDS = ("name", "enabled", "settings", "stream", "scope", "template")
TEMPLATE_NAMES = ALWAYS | {name for names in NAMES.values() for name in names}


@transaction.atomic
def create_forwarder(
    tenant: Tenant,
    *,
    name: str,
    kind: str,
    settings: dict[str, Any] | None = None,
    enabled: bool = True,
    stream: str = "readings",
    scope: dict[str, Any] | None = None,
    template: str = "",
) -> Forwarder:
    """A new forwarder. `settings` hold the secrets too. Raises ValidationError by field, Conflict where the name is taken."""
    if kind not in FORWARDERS:
        raise ValidationError({"kind": _("Choose one of: %(choices)s.") % {"choices": ", ".join(FORWARDERS)}}, code="bad_choice")
    forwarder = Forwarder(tenant=tenant, kind=kind)
    values = {"name": name, "enabled": enabled, "settings": settings or {}, "stream": stream, "scope": scope or {}, "template": template}
    _apply(forwarder, values)
    save_named(forwarder)
    target_of(forwarder)
    routes.forget()
    return forwarder


@transaction.atomic
def update_forwarder(forwarder: Forwarder, **changes: Any) -> Forwarder:
    """Changes any field but the kind; secrets that `settings` do not hold stay. What waits is tried at once."""
    if changes.pop("kind", forwarder.kind) != forwarder.kind:
        raise ValidationError({"kind": _("The kind is for good: make a new one.")}, code="fixed")
    refuse_unknown(changes, dict.fromkeys(_FIELDS))
    _apply(forwarder, changes)
    save_named(forwarder)
    adapter_records.try_at_once(forwarder, KIND)
    routes.forget()
    return forwarder


@transaction.atomic
def delete_forwarder(forwarder: Forwarder) -> None:
    """With what waits for it. Raises Conflict `in_use` while rules forward by it."""
    refuse_used(forwarder.tenant, kind="forward", forwarder=forwarder.pk)
    adapter_records.delete(forwarder, KIND)
    routes.forget()


def target_of(forwarder: Forwarder) -> Target:
    """How it does."""
    return adapter_records.target_of(forwarder, KIND)


def secrets_of(forwarder: Forwarder) -> list[str]:
    return adapter_records.secrets_of(forwarder, KIND)


def _apply(forwarder: Forwarder, changes: dict[str, Any]) -> None:
    problems = Problems()
    with problems.of("name"):
        forwarder.name = clean_text(changes.get("name", forwarder.name))
    with problems.of("stream"):
        if changes.get("stream", forwarder.stream) not in Stream.values:
            raise ValidationError(_("Choose one of: %(choices)s.") % {"choices": ", ".join(filter(None, Stream.values))}, code="bad_choice")
        forwarder.stream = changes.get("stream", forwarder.stream)
    with problems.of("enabled"):
        forwarder.enabled = bool(changes.get("enabled", forwarder.enabled))
    with problems.of("scope"):
        if "scope" in changes:
            forwarder.scope = clean_scope(forwarder.tenant, changes["scope"])
    with problems.of("settings"):
        if "settings" in changes:
            adapter_records.apply_settings(forwarder, KIND, FORWARDERS[forwarder.kind].SETTINGS, changes["settings"], TEMPLATE_NAMES)
    problems.raise_any()
    with problems.of("template"):
        forwarder.template = clean_text(changes.get("template", forwarder.template), limit=MAX_TEXT, blank=True, lines=True)
        try_template(forwarder)
    problems.raise_any()


def try_template(forwarder: Forwarder) -> None:
    """Render the template with sample data. Raises ValidationError with the reason."""
    entry = sample(forwarder.stream, forwarder.tenant)
    context = context_of(forwarder.stream, entry, Facts(forwarder.tenant))
    if "values" in context:
        context["values"] = Anything()
    try:
        text = Shape(forwarder.template, forwarder.stream).render(context) if forwarder.template.strip() else "{}"
    except TemplateError as error:
        raise ValidationError(str(error), code="bad_template") from error
    if FORWARDERS[forwarder.kind].OBJECTS or forwarder.settings.get("format") == "parquet":
        _demand_object(text)


def _demand_object(text: str) -> None:
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise ValidationError(_("It makes no JSON: %(error)s.") % {"error": error}, code="bad_template") from error
    if not isinstance(found, dict):
        raise ValidationError(_("It must make a JSON object, whose keys are columns."), code="bad_template")
