"""Fields that several serializers share."""

import datetime
from typing import Any

from django.db.models import Model
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


@extend_schema_field({"type": "string", "description": "ISO 8601 with zone, or milliseconds since 1970."})
class InstantField(serializers.Field[datetime.datetime, Any, str, Any]):
    """A time in a query: ISO 8601 with zone, or milliseconds since 1970."""

    default_error_messages = {"invalid": _("Give a time as ISO 8601 with zone, or as milliseconds since 1970.")}

    def to_internal_value(self, data: Any) -> datetime.datetime:
        try:
            found = self._milliseconds(data) or datetime.datetime.fromisoformat(str(data).replace(" ", "+"))
            # Five days from the ends of what a datetime can hold, so that no zone moves it beyond.
            if found.tzinfo is None or not 1 < found.year < 9999:
                self.fail("invalid")
            return found.astimezone(datetime.UTC)
        except (ValueError, OverflowError):
            self.fail("invalid")

    @staticmethod
    def _milliseconds(data: Any) -> datetime.datetime | None:
        text = str(data).removeprefix("-")
        if not text.isascii() or not text.replace(".", "", 1).isdigit():
            return None
        return _EPOCH + datetime.timedelta(milliseconds=float(str(data)))

    def to_representation(self, value: datetime.datetime) -> str:
        return value.isoformat()


@extend_schema_field({"type": "string"})
class KeyOfField(serializers.Field[Any, str, str, Any]):
    """An object of the request's tenant, by its key; one of another tenant is as unknown as none."""

    default_error_messages = {"unknown": _("There is no “%(key)s”."), "invalid": _("Give a key.")}

    def __init__(self, queryset: Any, **kwargs: Any) -> None:
        self.queryset = queryset
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> Model:
        if not isinstance(data, str) or "\0" in data:
            self.fail("invalid")
        found: Model | None = self.queryset.all().for_tenant(self.context["tenant"]).filter(key=data).first()
        if found is None:
            raise serializers.ValidationError(self.error_messages["unknown"] % {"key": data[:64]}, "unknown")
        return found

    def to_representation(self, value: Any) -> str:
        return str(value.key)


@extend_schema_field({"type": "object", "additionalProperties": True})
class ObjectField(serializers.Field[dict[str, Any], Any, dict[str, Any], Any]):
    """Any JSON object."""

    default_error_messages = {"invalid": _("Give an object.")}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            self.fail("invalid")
        return data

    def to_representation(self, value: dict[str, Any]) -> dict[str, Any]:
        return value


class CheckedObjectField(ObjectField):
    """An object whose verb looks at it and says by a code of its own what is wrong, also where it is none."""

    def to_internal_value(self, data: Any) -> Any:
        return data


@extend_schema_field({"type": "array", "items": {}})
class ListOfAnythingField(serializers.Field[list[Any], Any, list[Any], Any]):
    """Any JSON list, whose entries a verb checks."""

    default_error_messages = {"invalid": _("Give a list.")}

    def to_internal_value(self, data: Any) -> list[Any]:
        if not isinstance(data, list):
            self.fail("invalid")
        return data

    def to_representation(self, value: list[Any]) -> list[Any]:
        return value
