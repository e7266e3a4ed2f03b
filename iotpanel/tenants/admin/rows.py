"""Lists of objects (properties, labels, topics ...) as rows of a form instead of raw JSON."""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from django import forms
from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.utils.translation import gettext as _
from unfold.widgets import UnfoldAdminTextareaWidget

from iotpanel.tenants.validation import clean_json


class Column(NamedTuple):
    """One column. `kind`: text, mono, number, flag, choice (of `choices`), list (by commas), json, or rows (of `columns`)."""

    name: str
    label: Any
    kind: str = "text"
    choices: Sequence[str] = ()
    columns: Sequence["Column"] = ()

    def as_dict(self) -> dict[str, Any]:
        shown = {"name": self.name, "label": str(self.label), "kind": self.kind, "choices": list(self.choices)}
        return {**shown, "columns": [column.as_dict() for column in self.columns]}


class RowsWidget(UnfoldAdminTextareaWidget):
    """A text area with JSON that the script turns into a table; without the script it is still a text area with JSON."""

    columns: Sequence[Column] = ()

    class Media:
        js = ("iotpanel/js/admin-rows.js",)

    def build_attrs(self, base_attrs: dict[str, Any], extra_attrs: dict[str, Any] | None = None) -> dict[str, Any]:
        words = {"add": _("Add row"), "remove": _("Remove"), "json": _("As JSON"), "rows": _("As rows"), "empty": _("None yet")}
        columns = [column.as_dict() for column in self.columns]
        data = {"data-rows": json.dumps(columns), "data-words": json.dumps(words), "spellcheck": "false"}
        return super().build_attrs(base_attrs, extra_attrs) | data


class RowsField(forms.JSONField):
    """A list of objects."""

    widget = RowsWidget

    def __init__(self, *, columns: Sequence[Column], **kwargs: Any) -> None:
        super().__init__(required=False, encoder=DjangoJSONEncoder, **kwargs)
        self.widget.columns = columns

    def prepare_value(self, value: Any) -> Any:
        return super().prepare_value([] if value is None else value)

    def bound_data(self, data: Any, initial: Any) -> Any:
        try:
            return super().bound_data(data, initial)
        except RecursionError:  # nesting without end: shown as it was sent, refused by to_python
            return forms.fields.InvalidJSONInput(data)

    def to_python(self, value: Any) -> Any:
        try:
            found = super().to_python(value)
        except RecursionError as error:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from error
        if found in self.empty_values:
            return []
        if not isinstance(found, list):
            raise ValidationError(_("This must be a list."), code="invalid")
        return clean_json(found)


class PairsField(RowsField):
    """An object of texts, one row per key."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(columns=(Column("key", _("Key")), Column("value", _("Value"))), **kwargs)

    def prepare_value(self, value: Any) -> Any:
        rows = [{"key": key, "value": text} for key, text in value.items()] if isinstance(value, dict) else value
        return super().prepare_value(rows)

    def clean(self, value: Any) -> Any:
        rows = super().clean(value)
        if any(not isinstance(row, dict) for row in rows):
            raise ValidationError(_("Each row has a key and a value."), code="invalid")
        keys = [row.get("key") or "" for row in rows]
        if len({str(key) for key in keys}) < len(keys):
            raise ValidationError(_("Each key once."), code="invalid")
        return {str(key): row.get("value") or "" for key, row in zip(keys, rows, strict=True)}

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.clean(data) != (initial or {}))
        except ValidationError:
            return True
