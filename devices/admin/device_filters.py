"""Filters of the device list."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter, RadioFilter, TextFilter

from devices.models import Credential, Group


class PresenceFilter(RadioFilter):
    title = _("presence")
    parameter_name = "presence"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, Any]]:
        return [("online", _("Online")), ("offline", _("Offline")), ("never_seen", _("Never seen")), ("disabled", _("Disabled"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[Any] | None:
        match self.value():
            case "disabled":
                return queryset.filter(enabled=False)
            case "online" | "offline" | "never_seen" as state:
                return getattr(queryset, state)()
        return None


class GroupFilter(DropdownFilter):
    """A group and all below it."""

    title = _("group")
    parameter_name = "group"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[Any, Any]]:
        groups = Group.objects.for_user(request.user).order_by("name").values_list("pk", "name")  # type: ignore[arg-type]
        return list(groups[:1000])

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[Any] | None:
        value = self.value()
        if not value:
            return None
        if not value.isascii() or not value.isdigit() or len(value) > 18:
            return queryset.none()
        group = Group.objects.for_user(request.user).filter(pk=int(value)).first()  # type: ignore[arg-type]
        return queryset.in_group(group) if group else queryset.none()


class LabelFilter(TextFilter):
    """`key=value`, or a key alone."""

    title = _("label (key or key=value)")
    parameter_name = "label"

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[Any] | None:
        wanted = (self.value() or "").strip().replace("\0", "")
        if not wanted:
            return None
        key, equals, value = (part.strip() for part in wanted.partition("="))
        return queryset.filter(labels__contains={key: value}) if equals else queryset.filter(labels__has_key=key)


class CredentialFilter(RadioFilter):
    title = _("credentials")
    parameter_name = "credentials"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, Any]]:
        return [("yes", _("In force")), ("no", _("None"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[Any] | None:
        if self.value() not in ("yes", "no"):
            return None
        in_force = Exists(Credential.objects.filter(device=OuterRef("pk"), revoked_at=None))
        return queryset.filter(in_force if self.value() == "yes" else ~in_force)
