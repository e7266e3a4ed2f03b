"""Rules as configuration: the body's fields beside the switch; actions name channels and forwarders in place of their ids."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from iotpanel.tenants.configuration.kind import Spec
from iotpanel.tenants.models import Tenant
from rules import rules
from rules.compiled import FIELDS
from rules.models import Channel, Forwarder, Rule

from .named import Named

ORDER = ("description", "trigger", "when", "for", "clear", "clear_for", "cooldown", "active", "repeat", "lateness")
REFERENCES: Mapping[str, Any] = {"channel": Channel, "forwarder": Forwarder}
Rename = Callable[[str, Any, str], Any]


class Rules(Named):
    """Of several rules with one name all but the oldest are written with their number: `Too warm #12`."""

    required = ("scope", "actions")
    defaults = {"enabled": True, **dict.fromkeys(ORDER)}

    def read(self, tenant: Tenant) -> dict[str, Spec]:
        names = {word: dict(model.objects.for_tenant(tenant).order_by().values_list("pk", "name")) for word, model in REFERENCES.items()}

        def name_of(word: str, value: Any, path: str) -> Any:
            return names[word].get(value, value) if isinstance(value, int) else value

        return {slug: _written(rule, name_of) for slug, rule in _rules(tenant).items()}

    def create(self, tenant: Tenant, slug: str, spec: Spec) -> None:
        rules.create_rule(tenant, name=slug, body=_body(tenant, spec), enabled=spec["enabled"])

    def update(self, tenant: Tenant, slug: str, spec: Spec) -> None:
        rules.update_rule(_rules(tenant)[slug], body=_body(tenant, spec), enabled=spec["enabled"])

    def delete(self, tenant: Tenant, slugs: Iterable[str]) -> None:
        there = _rules(tenant)
        for slug in slugs:
            rules.delete_rule(there[slug])


assert {*ORDER, *Rules.required} == FIELDS


def _rules(tenant: Tenant) -> dict[str, Rule]:
    found: dict[str, Rule] = {}
    for rule in Rule.objects.for_tenant(tenant).order_by("pk"):
        found[rule.name if rule.name not in found else f"{rule.name} #{rule.pk}"] = rule
    return found


def _written(rule: Rule, name_of: Rename) -> Spec:
    body = rule.body
    spec = {"scope": body.get("scope"), "actions": renamed(body.get("actions"), name_of, "actions"), "enabled": rule.enabled}
    return spec | {name: body.get(name) for name in ORDER}


def _body(tenant: Tenant, spec: Spec) -> dict[str, Any]:
    """Raises ValidationError for a channel or forwarder that is not there."""

    def id_of(word: str, value: Any, path: str) -> Any:
        if not isinstance(value, str):
            return value
        found = REFERENCES[word].objects.for_tenant(tenant).filter(name=value).values_list("pk", flat=True).first()
        if found is None:
            raise ValidationError({path: _("There is no “%(key)s”.") % {"key": value[:64]}})
        return found

    body = {name: spec[name] for name in ("scope", *ORDER) if spec[name] is not None}
    return body | {"actions": renamed(spec["actions"], id_of, "actions")}


def renamed(actions: Any, rename: Rename, path: str) -> Any:
    """Actions with other names for what they refer to, also within scenes and escalations. What has no shape stays as it is."""
    if not isinstance(actions, list):
        return actions
    return [_renamed(action, rename, f"{path}.{index}") if isinstance(action, dict) else action for index, action in enumerate(actions)]


def _renamed(action: dict[str, Any], rename: Rename, path: str) -> dict[str, Any]:
    found = dict(action)
    for word in REFERENCES.keys() & action.keys():
        found[word] = rename(word, action[word], f"{path}.{word}")
    for word in ("steps", "actions", "escalate"):
        if word in action:
            found[word] = renamed(action[word], rename, f"{path}.{word}")
    return found
