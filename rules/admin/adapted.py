"""What the admin's pages of forwarders and channels have in common: settings as JSON, health, a button for a test message."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import DropdownFilter
from unfold.decorators import action
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from iotpanel.tenants.admin.base import TenantModelAdmin
from iotpanel.tenants.admin.pages import ask, confirmed
from iotpanel.tenants.models import Role
from rules.api.health import health_of
from rules.delivery import holding

from . import looks
from .nested import NestedForm

STATES = {
    "idle": (gettext_lazy("idle"), "outline"),
    "ok": (gettext_lazy("ok"), "good"),
    "waiting": (gettext_lazy("waiting"), "accent"),
    "down": (gettext_lazy("down"), "critical"),
    "held": (gettext_lazy("paused"), "accent"),
}


def kind_choices(table: Any) -> list[tuple[str, Any]]:
    """Kinds with their titles; what has not met a real server says so."""
    return [
        (kind, _("%(title)s (experimental)") % {"title": adapter.TITLE} if adapter.EXPERIMENTAL else adapter.TITLE)
        for kind, adapter in table.items()
    ]


def kind_filter(table: Any) -> type[DropdownFilter]:
    """By the adapter's kind."""

    class KindFilter(DropdownFilter):
        title = gettext_lazy("kind")
        parameter_name = "kind"

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[Any, Any]]:
            return kind_choices(table)

        def queryset(self, request: HttpRequest, queryset: Any) -> Any:
            return queryset.filter(kind=self.value()) if self.value() in table else None

    return KindFilter


class SettingsField(forms.JSONField):
    """JSON; secrets are typed here and never come back."""

    widget = UnfoldAdminTextareaWidget

    def __init__(self) -> None:
        help_text = gettext_lazy("JSON, by the kind. Secrets are taken, and not shown again; a secret that is left out stays as it is.")
        super().__init__(required=False, label=gettext_lazy("Settings"), help_text=help_text, initial=dict)

    def to_python(self, value: Any) -> Any:
        try:
            return super().to_python(value) or {}
        except RecursionError as error:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid") from error


class AdaptedForm(NestedForm):
    nested = {"settings": "settings."}
    kinds: Any = {}
    settings = SettingsField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "kind" in self.fields:
            choices = kind_choices(self.kinds)
            self.fields["kind"] = forms.ChoiceField(choices=choices, widget=UnfoldAdminSelectWidget, label=gettext_lazy("Kind"))


class AdaptedAdmin(TenantModelAdmin):
    """`target_of`, `secrets_of` and `send_test` are the noun's own."""

    conflict_field = "name"
    actions_detail = ["send_test_message"]
    actions = ["pause", "resume"]
    list_filter_submit = True
    readonly_fields = ("health", "waiting", "counts", "last_error", "secrets")

    def target_of(self, obj: Any) -> Any:
        raise NotImplementedError

    def secrets_of(self, obj: Any) -> list[str]:
        raise NotImplementedError

    def try_out(self, obj: Any) -> Any:
        raise NotImplementedError

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return [*super().get_readonly_fields(request, obj), *(["kind"] if obj is not None else [])]

    def _health(self, obj: Any) -> dict[str, Any]:
        if not hasattr(obj, "known_health"):
            obj.known_health = health_of(self.target_of(obj))
        found: dict[str, Any] = obj.known_health
        return found

    @admin.display(description=gettext_lazy("state"))
    def health(self, obj: Any) -> Any:
        if not obj.enabled:
            return looks.badge(_("off"))
        found = self._health(obj)
        return looks.badge(*STATES[found["state"]], title=found["last_error"] if found["state"] == "down" else "")

    @admin.display(description=gettext_lazy("waiting"))
    def waiting(self, obj: Any) -> str:
        health = self._health(obj)
        return _("%(number)d messages, the oldest for %(seconds)d s") % {"number": health["waiting"], "seconds": health["lag_seconds"]}

    @admin.display(description=gettext_lazy("messages"))
    def counts(self, obj: Any) -> str:
        health = self._health(obj)
        return _("%(delivered)d delivered, %(dead)d given up") % {"delivered": health["delivered"], "dead": health["dead"]}

    @admin.display(description=gettext_lazy("last error"))
    def last_error(self, obj: Any) -> str:
        return str(self._health(obj)["last_error"])

    @admin.display(description=gettext_lazy("secrets"))
    def secrets(self, obj: Any) -> str:
        return ", ".join(self.secrets_of(obj)) or _("none")

    @admin.action(description=gettext_lazy("Pause"), permissions=["try"])
    def pause(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for obj in self.only_permitted(request, queryset, Role.ADMIN):
            holding.hold(self.target_of(obj))

    @admin.action(description=gettext_lazy("Resume"), permissions=["try"])
    def resume(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for obj in self.only_permitted(request, queryset, Role.ADMIN):
            holding.let_go(self.target_of(obj))

    def has_try_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.permits(request, Role.ADMIN, obj)

    @action(description=gettext_lazy("Send a test message"), url_path="test", icon="send", permissions=["try"])
    def send_test_message(self, request: HttpRequest, object_id: str) -> HttpResponse:
        obj = self.get_object(request, object_id)
        if obj is None or not self.has_try_permission(request, obj):
            raise Http404
        back = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[obj.pk])
        if not confirmed(request):
            question = _("Send a test message to “%(name)s”?") % {"name": obj.name}
            return ask(request, self, question=question, consequence=_("It is sent at once, as it is set up."), verb=_("Send"), back=back)
        found = self.try_out(obj)
        messages.add_message(request, messages.SUCCESS if found.ok else messages.ERROR, found.answer)
        return HttpResponseRedirect(back)
