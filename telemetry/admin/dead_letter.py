"""Dead letters: what was wrong, with which bytes; replayed one by one, by choice, or all that a filter shows."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.options import ModelAdmin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter, RadioFilter, RangeDateTimeFilter
from unfold.decorators import action

from devices.admin import marks
from devices.exceptions import Unavailable
from iotpanel.tenants.admin.base import TenantModelAdmin
from iotpanel.tenants.admin.pages import ask, confirmed
from iotpanel.tenants.models import Role, Tenant, User
from telemetry.models import DeadLetterRecord
from telemetry.uplink.replay import replay
from telemetry.uplink.replay_runs import Replayed, replay_all

from .bytes_view import as_text, hexdump

DETAIL_LENGTH = 90


class OpenFilter(RadioFilter):
    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("open", gettext_lazy("Open")), ("replayed", gettext_lazy("Replayed"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        match self.value():
            case "open":
                return queryset.open()
            case "replayed":
                return queryset.exclude(replayed_at=None)
        return None


class Replaying(ModelAdmin):
    """Actions of the dead letter admin."""

    def has_replay_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(self.permits(request, Role.OPERATOR, obj))  # type: ignore[attr-defined]

    @admin.action(description=gettext_lazy("Replay"), permissions=["replay"])
    def replay_many(self, request: HttpRequest, queryset: QuerySet[DeadLetterRecord]) -> HttpResponse | None:
        chosen = self.only_permitted(request, queryset, Role.OPERATOR).filter(replayed_at=None)  # type: ignore[attr-defined]
        if not confirmed(request):
            question = _("Replay %(count)d dead letters?") % {"count": chosen.count()}
            return ask(request, self, question=question, consequence=_effect(), verb=_("Replay"), back=request.get_full_path())
        for tenant, letters in _by_tenant(chosen, request.user):
            _tell(request, replay_all(letters, tenant=tenant, started_by=request.user if isinstance(request.user, User) else None))
        return None

    @action(description=gettext_lazy("Replay"), url_path="replay", icon="replay", permissions=["replay"])
    def replay_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        letter = self.get_object(request, object_id)
        if letter is None or not self.has_replay_permission(request, letter):
            raise Http404
        back = reverse("admin:telemetry_deadletterrecord_change", args=[letter.pk])
        if not confirmed(request):
            return ask(request, self, question=_("Replay this dead letter?"), consequence=_effect(), verb=_("Replay"), back=back)
        self._replay(request, DeadLetterRecord.objects.filter(pk=letter.pk))
        return HttpResponseRedirect(back)

    def _replay(self, request: HttpRequest, letters: QuerySet[DeadLetterRecord]) -> None:
        try:
            replayed, failed = replay(letters)
        except Unavailable as error:
            messages.error(request, _("Not all were replayed: %(reason)s. What was done stays done; try again.") % {"reason": error})
            return
        _tell(request, Replayed(replayed, failed))


def _by_tenant(letters: QuerySet[Any], user: Any) -> list[tuple[Tenant | None, QuerySet[Any]]]:
    """A run for each tenant, so that each sees its own; a superuser's over several tenants is one, which only superusers see."""
    ids = letters.order_by().values_list("tenant", flat=True).distinct()
    if user.is_superuser and len(ids[:2]) > 1:
        return [(None, letters)]
    tenants = Tenant.objects.in_bulk([each for each in ids if each is not None])
    return [(tenants.get(each), letters.filter(tenant=each)) for each in ids]


def _tell(request: HttpRequest, done: Replayed) -> None:
    """What was done, and where to look how far the rest is."""
    if done.replayed or done.failed or not done.waiting:
        words = _("%(replayed)d accepted, %(failed)d refused again.") % {"replayed": done.replayed, "failed": done.failed}
        messages.add_message(request, messages.WARNING if done.failed else messages.SUCCESS, words)
    if done.waiting:
        words = _("%(waiting)d more are being replayed in the background.") % {"waiting": done.waiting}
        link = format_html('<a class="underline" href="{}">{}</a>', reverse("admin:telemetry_replayrun_changelist"), _("How far it is"))
        messages.info(request, format_html("{} {}", words, link))


def _effect() -> str:
    return _(
        "Each is read again as if it came now, with the time when it first came. What is refused again stays here with the new reason."
    )


@admin.register(DeadLetterRecord)
class DeadLetterAdmin(Replaying, TenantModelAdmin):
    change_role = add_role = None
    list_display = ("shown_reason", "shown_device", "shown_product", "topic", "size", "received", "state")
    list_filter = (
        ("reason", ChoicesDropdownFilter),
        ("product", AutocompleteSelectFilter),
        ("device", AutocompleteSelectFilter),
        OpenFilter,
        ("received_at", RangeDateTimeFilter),
    )
    list_filter_submit = True
    list_select_related = ("device", "product", "tenant")
    search_fields = ("key", "topic", "detail")
    actions = ("replay_many",)
    actions_detail = ("replay_one",)
    fields = (
        ("reason", "state"),
        "detail",
        ("shown_device", "shown_product"),
        "key",
        "topic",
        ("source", "index", "received"),
        "text",
        "dump",
    )
    readonly_fields = ("state", "received", "shown_device", "shown_product", "text", "dump")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("device", "product")

    @admin.display(description=gettext_lazy("reason"), ordering="reason")
    def shown_reason(self, obj: DeadLetterRecord) -> SafeString:
        return format_html('{}<span class="why" title="{}">{}</span>', obj.reason, obj.detail, obj.detail[:DETAIL_LENGTH])

    @admin.display(description=gettext_lazy("device"), ordering="key")
    def shown_device(self, obj: DeadLetterRecord) -> SafeString | str:
        return marks.to_device(obj.device) if obj.device else obj.key or "–"

    @admin.display(description=gettext_lazy("product"), ordering="product__name")
    def shown_product(self, obj: DeadLetterRecord) -> SafeString | str:
        return marks.to_product(obj.product) if obj.product else "–"

    @admin.display(description=gettext_lazy("size"))
    def size(self, obj: DeadLetterRecord) -> str:
        return _("%(count)d B") % {"count": len(obj.payload)}

    @admin.display(description=gettext_lazy("received at"), ordering="received_at")
    def received(self, obj: DeadLetterRecord) -> SafeString | str:
        return marks.moment(obj.received_at)

    @admin.display(description=gettext_lazy("state"), ordering="replayed_at")
    def state(self, obj: DeadLetterRecord) -> SafeString | str:
        return format_html("{} {}", _("Replayed"), marks.moment(obj.replayed_at)) if obj.replayed_at else _("Open")

    @admin.display(description=gettext_lazy("as text"))
    def text(self, obj: DeadLetterRecord) -> SafeString | str:
        shown = as_text(bytes(obj.payload))
        return format_html('<pre class="snippet-block">{}</pre>', shown) if shown is not None else _("No text.")

    @admin.display(description=gettext_lazy("bytes"))
    def dump(self, obj: DeadLetterRecord) -> SafeString:
        return hexdump(bytes(obj.payload))
