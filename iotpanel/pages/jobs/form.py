"""From a form's texts to a job; what is left empty is left out, and what is wrong is said in sentences."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import orjson
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from devices.firmware import packages
from devices.jobs import KINDS
from devices.jobs.rollout import DEFAULTS
from devices.models import Firmware
from iotpanel.tenants.models import Tenant
from iotpanel.zones import ZONES

KIND_WORDS = {
    "firmware": gettext_lazy("Bring firmware onto devices"),
    "command": gettext_lazy("Send a command"),
    "shadow": gettext_lazy("Change the desired state"),
    "credentials": gettext_lazy("Give new secrets"),
}
NUMBERS = {
    "canary_percent": gettext_lazy("Canary (% of the devices)"),
    "wave_percent": gettext_lazy("Each wave behind it (%)"),
    "parallel": gettext_lazy("Devices at once"),
    "abort_percent": gettext_lazy("Stop at failures (%)"),
    "abort_after": gettext_lazy("once so many have ended"),
    "retries": gettext_lazy("Further attempts"),
    "retry_after": gettext_lazy("Pause before them (s)"),
    "wait_offline": gettext_lazy("Wait for devices that are away (s)"),
}
PREVIOUS = "previous"
LONGEST = 200_000  # characters of one field
FLAGS = ("rollback", "confirm", "canary_confirm")
TEXTS = (
    *("kind", "package", "command", "params", "desired", "name", "timeout", "product", "group", "labels", "search", "job", "devices"),
    *("starts_at", "from", "to", "timezone"),
)
Sent = dict[str, Any]


def blank(tenant: Tenant, asked: QueryDict) -> Sent:
    """The form as it is first seen; an address may fill in kind, product and version, or a job to roll back."""
    kind = asked.get("kind", "")
    known = Firmware.objects.for_tenant(tenant).filter(product__key=_plain(asked, "product"), version=_plain(asked, "version"))
    package = known.values_list("pk", flat=True).first()
    previous = PREVIOUS if PREVIOUS in asked else ""
    sent: Sent = dict.fromkeys(TEXTS, "") | {name: str(DEFAULTS[name]) for name in NUMBERS} | dict.fromkeys(FLAGS, False)
    sent |= {"kind": kind if kind in KINDS else "firmware", "package": str(package or previous), "timezone": DEFAULTS["timezone"]}
    return sent | {"product": _plain(asked, "product"), "job": _plain(asked, "job"), "confirm": True, "canary_percent": "5", "days": []}


def read(posted: QueryDict) -> Sent:
    """What was typed, as it stands."""
    sent: Sent = {name: _plain(posted, name) for name in (*TEXTS, *NUMBERS)}
    return sent | {name: name in posted for name in FLAGS} | {"days": [int(day) for day in posted.getlist("days") if day in "0123456"]}


def _plain(given: QueryDict, name: str) -> str:
    return given.get(name, "").replace("\0", "").strip()[:LONGEST]


def order_of(tenant: Tenant, sent: Sent) -> dict[str, Any]:
    """The arguments of `verbs.start` but the person. Raises ValidationError."""
    if sent["kind"] not in KINDS:
        raise ValidationError({"kind": _("Choose what is done.")})
    spec = {"firmware": _firmware, "command": _command, "shadow": _shadow, "credentials": _timeout}[sent["kind"]](tenant, sent)
    rollout = _rollout(sent)
    name = sent["name"] or f"{KIND_WORDS[sent['kind']]}: {KINDS[sent['kind']]().describe(spec)}"[:200]
    return {
        "name": name.rstrip(": "),
        "kind": sent["kind"],
        "spec": spec,
        "target": _target(sent),
        "rollout": rollout,
        "starts_at": _moment(sent, rollout["timezone"]),
    }


def _firmware(tenant: Tenant, sent: Sent) -> dict[str, Any]:
    if sent["package"] == PREVIOUS:
        return {"previous": True} | _timeout(tenant, sent)
    known = Firmware.objects.for_tenant(tenant).select_related("product")
    digits = sent["package"].isascii() and sent["package"].isdigit() and len(sent["package"]) < 19
    found = known.filter(pk=int(sent["package"])).first() if digits else None
    if found is None:
        raise ValidationError({"package": _("Choose a firmware.")})
    return {"product": found.product.key, "version": found.version, "rollback": sent["rollback"]} | _timeout(tenant, sent)


def _command(tenant: Tenant, sent: Sent) -> dict[str, Any]:
    return {"command": sent["command"], "params": _json(sent, "params") or {}} | _timeout(tenant, sent)


def _shadow(tenant: Tenant, sent: Sent) -> dict[str, Any]:
    return {"desired": _json(sent, "desired"), "confirm": sent["confirm"]} | _timeout(tenant, sent)


def _timeout(tenant: Tenant, sent: Sent) -> dict[str, Any]:
    return {"timeout": _number(sent, "timeout")} if sent["timeout"] else {}


def _json(sent: Sent, name: str) -> Any:
    if not sent[name]:
        return None
    try:
        return orjson.loads(sent[name])
    except orjson.JSONDecodeError as error:
        raise ValidationError({name: _("“%(name)s” is not JSON.") % {"name": name}}) from error


def _number(sent: Sent, name: str) -> int | float:
    text = sent[name]
    try:
        return int(text) if text.lstrip("+-").isdigit() and len(text) < 19 else float(text)
    except ValueError as error:
        raise ValidationError({name: _("“%(name)s” is not a number.") % {"name": name}}) from error


def _target(sent: Sent) -> dict[str, Any]:
    target: dict[str, Any] = {name: sent[name] for name in ("product", "group", "search") if sent[name]}
    if sent["labels"]:
        pairs = [text.partition("=") for text in sent["labels"].split(",")]
        target["labels"] = {key.strip(): value.strip() for key, _equals, value in pairs if key.strip()}
    if sent["devices"]:
        target["devices"] = sent["devices"].replace(",", " ").split()
    return target | ({"job": _number(sent, "job")} if sent["job"] else {})


def _rollout(sent: Sent) -> dict[str, Any]:
    rollout: dict[str, Any] = {name: _number(sent, name) for name in NUMBERS if sent[name]} | {"canary_confirm": sent["canary_confirm"]}
    rollout["timezone"] = sent["timezone"] or DEFAULTS["timezone"]
    if sent["from"] or sent["to"]:
        rollout["windows"] = [{"from": sent["from"], "to": sent["to"]} | ({"days": sent["days"]} if sent["days"] else {})]
    return rollout


def _moment(sent: Sent, zone: str) -> datetime | None:
    if not sent["starts_at"]:
        return None
    try:
        return datetime.fromisoformat(sent["starts_at"]).replace(tzinfo=ZoneInfo(zone if zone in ZONES else "UTC"))
    except ValueError as error:
        raise ValidationError({"starts_at": _("This is no time.")}) from error


def choices(tenant: Tenant) -> list[tuple[str, str]]:
    """The packages, by product, the newest first."""
    found = packages.in_order(Firmware.objects.for_tenant(tenant).select_related("product"))
    ordered = sorted(found, key=lambda each: each.product.name.lower())
    return [(str(each.pk), f"{each.product.name} · {each.version}") for each in ordered]
