"""Forms with JSON in a field: what a verb refuses inside of it is said at the field, with the path."""

from typing import Any, ClassVar

from django.core.exceptions import ValidationError

from iotpanel.tenants.admin.base import VerbForm


class NestedForm(VerbForm):
    """`nested`: a field, and what the paths inside of it begin with; "" takes all that belong to no other field."""

    nested: ClassVar[dict[str, str]] = {}

    def clean(self) -> dict[str, Any]:
        if self.refused is not None:
            kept: dict[str, Any] = {}
            for path, errors in self.refused.error_dict.items():
                if field := self._field_of(path):
                    words = "; ".join(str(message) for each in errors for message in each.messages)
                    inside = path.removeprefix(self.nested[field])
                    self.add_error(field, f"{inside}: {words}" if inside and path != field else words)
                else:
                    kept[path] = errors
            self.refused = ValidationError(kept) if kept else None
        return super().clean()

    def _field_of(self, path: str) -> str:
        if path in self.fields and path not in self.nested:
            return ""
        return next((field for field, start in self.nested.items() if path == field or path.startswith(start)), "")
