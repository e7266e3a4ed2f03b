"""A product as a form: the thing model as rows, each problem at its row."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextareaWidget

from devices.models import Product
from devices.product_retention import MAX_DAYS, ROLLUPS
from devices.products import MOST_AT_ONCE
from devices.thing_model import TYPES
from iotpanel.tenants.admin.base import VerbForm
from iotpanel.tenants.admin.rows import Column, RowsField

PARTS = ("properties", "attributes", "events", "commands")
_STEP = re.compile(r"([a-z_]+)\[(\d+)\]")
_KEY = Column("key", gettext_lazy("Key"), "mono")
_NAME = Column("name", gettext_lazy("Name"))
_VALUE = (
    _KEY,
    _NAME,
    Column("type", gettext_lazy("Type"), "choice", TYPES),
    Column("unit", gettext_lazy("Unit")),
    Column("min", gettext_lazy("Min"), "number"),
    Column("max", gettext_lazy("Max"), "number"),
    Column("enum", gettext_lazy("Allowed values"), "list"),
    Column("precision", gettext_lazy("Decimals"), "number"),
)
_PROPERTIES = (*_VALUE, Column("period", gettext_lazy("Period (s)"), "number"))
_PARAMS = Column("params", gettext_lazy("Parameters"), "rows", (), (*_VALUE, Column("required", gettext_lazy("Required"), "flag")))
_COMMANDS = (
    _KEY,
    _NAME,
    Column("timeout", gettext_lazy("Timeout (s)"), "number"),
    Column("idempotent", gettext_lazy("May be repeated"), "flag"),
    _PARAMS,
)
_TOPICS = (
    Column("topic", gettext_lazy("Topic"), "mono", ("tele/{key}/SENSOR",)),
    Column("kind", gettext_lazy("Kind"), "mono", ("telemetry, attributes, events/<name>, raw, status",)),
)
_AGES = (
    Column("property", gettext_lazy("Property"), "mono"),
    Column("minute", gettext_lazy("Minutes (days)"), "number"),
    Column("hour", gettext_lazy("Hours (days)"), "number"),
    Column("day", gettext_lazy("Days (days)"), "number"),
)
_SAMPLES = (
    Column("hex", gettext_lazy("Frame (hex)"), "mono"),
    Column("payload_base64", gettext_lazy("or base64"), "mono"),
    Column("port", gettext_lazy("Port"), "number"),
    Column("topic", gettext_lazy("Topic"), "mono"),
    Column("expected", gettext_lazy("Expected reports"), "json", ('[{"values": {"temperature": 21.5}}]',)),
)


def _days(label: Any) -> forms.IntegerField:
    return forms.IntegerField(label=label, required=False, min_value=1, max_value=MAX_DAYS, widget=UnfoldAdminIntegerFieldWidget)


class ProductForm(VerbForm):
    shown_at = {"rollup_retention": "rollup_properties"}
    properties = RowsField(label=gettext_lazy("Properties"), columns=_PROPERTIES, help_text=gettext_lazy("What it measures."))
    attributes = RowsField(
        label=gettext_lazy("Attributes"), columns=_PROPERTIES, help_text=gettext_lazy("What rarely changes: versions, places.")
    )
    events = RowsField(label=gettext_lazy("Events"), columns=(_KEY, _NAME, _PARAMS))
    commands = RowsField(label=gettext_lazy("Commands"), columns=_COMMANDS)
    topics = RowsField(
        label=gettext_lazy("Topics of its own"),
        columns=_TOPICS,
        help_text=gettext_lazy("For fleets that keep their topics. {key} stands for the device's key, as a whole level."),
    )
    codec_samples = RowsField(
        label=gettext_lazy("Samples"),
        columns=_SAMPLES,
        help_text=gettext_lazy("Run at every save: a frame that decodes differently refuses it."),
    )
    codec_script = forms.CharField(
        label=gettext_lazy("Script"),
        required=False,
        strip=False,
        widget=UnfoldAdminTextareaWidget(attrs={"class": "is-code", "spellcheck": "false", "rows": 24}),
        help_text=gettext_lazy("Lua 5.4: function decode(payload, topic, meta) … end"),
    )

    command_window = forms.IntegerField(
        label=gettext_lazy("Commands at once"),
        required=False,
        min_value=1,
        max_value=MOST_AT_ONCE,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text=gettext_lazy("How many commands of a device may wait for a reply at a time. Empty: 1."),
    )

    rollup_minute = _days(gettext_lazy("Keep minutes (days)"))
    rollup_hour = _days(gettext_lazy("Keep hours (days)"))
    rollup_day = _days(gettext_lazy("Keep days (days)"))

    rollup_properties = RowsField(label=gettext_lazy("Single properties otherwise"), columns=_AGES)
    description = forms.CharField(
        label=gettext_lazy("Description"), required=False, strip=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3})
    )

    class Meta:
        model = Product
        fields = (
            *("tenant", "key", "name", "description", "codec_kind", "codec_script", "codec_samples", "topics"),
            *(
                "offline_after",
                "command_window",
                "firmware_key",
                "unknown_properties",
                "register_children",
                "child_product",
                "retention_days",
                "archive_days",
                "rate_limit",
                "rate_burst",
            ),
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        model, rollups = self.instance.thing_model or {}, self.instance.rollup_retention or {}
        self.initial.update({part: model.get(part, []) for part in PARTS})
        self.initial.update({f"rollup_{rollup}": rollups.get(rollup) for rollup in ROLLUPS})
        own = rollups.get("properties") or {}
        self.initial["rollup_properties"] = [{"property": name, **ages} for name, ages in own.items()]

    def clean(self) -> dict[str, Any]:
        """The thing model's problems come with their path; shown at their part, with the row's number."""
        if self.refused is not None and "thing_model" in self.refused.error_dict:
            for message in ValidationError(self.refused.error_dict.pop("thing_model")).messages:
                part, words = placed(message)
                self.add_error(part if part in PARTS else None, words)
        cleaned = super().clean()
        if "command_window" in cleaned:
            cleaned["command_window"] = cleaned["command_window"] or 1
        return cleaned


def placed(message: str) -> tuple[str, str]:
    """From “properties[2].unit: must be text” to the part and “Row 3, unit: must be text”."""
    path, _colon, words = message.partition(": ")
    steps = path.split(".")
    found = _STEP.fullmatch(steps[0])
    if not found:
        return path, words or message
    names = [_("Row %(number)d") % {"number": int(found[2]) + 1}]
    for step in steps[1:]:
        inner = _STEP.fullmatch(step)
        names.append(f"{inner[1]} {int(inner[2]) + 1}" if inner else step)
    return found[1], f"{', '.join(names)}: {words}"
