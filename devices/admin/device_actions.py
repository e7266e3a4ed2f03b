"""What can be done with many devices at once, and with one device's credentials. Each ending is asked before."""

import csv
from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.options import ModelAdmin
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action
from unfold.widgets import UnfoldAdminSelectWidget

from devices.endpoint import endpoint_of
from devices.models import Device, Group, Product
from devices.provisioning import revoke_credentials, rotate_secret, update_device
from devices.snippets import message_for, mosquitto
from iotpanel.tenants.admin.access import ByRole, tenants_of
from iotpanel.tenants.admin.pages import ask, confirmed, shown_once
from iotpanel.tenants.models import Role

NAMES_SHOWN = 20


class ChoiceForm(forms.Form):
    """One choice among a tenant's things."""

    choice = forms.ModelChoiceField(queryset=Group.objects.none(), required=False, widget=UnfoldAdminSelectWidget)

    def __init__(self, data: Any, queryset: QuerySet[Any], label: str, required: bool) -> None:
        super().__init__(data)
        field = self.fields["choice"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset, field.label, field.required = queryset, label, required


class DeviceActions(ByRole, ModelAdmin):
    """Mixed into the device admin."""

    @admin.action(description=gettext_lazy("Enable"), permissions=["change"])
    def enable(self, request: HttpRequest, queryset: QuerySet[Device]) -> None:
        self._change(request, queryset, enabled=True)

    @admin.action(description=gettext_lazy("Disable"), permissions=["change"])
    def disable(self, request: HttpRequest, queryset: QuerySet[Device]) -> HttpResponse | None:
        if not confirmed(request):
            consequence = _("They are thrown out of the broker within seconds, and what they say is refused. Their readings stay.")
            return self._ask(request, queryset, question=_("Disable these devices?"), consequence=consequence, verb=_("Disable"))
        self._change(request, queryset, enabled=False)
        return None

    @admin.action(description=gettext_lazy("Move to group"), permissions=["change"])
    def move_to_group(self, request: HttpRequest, queryset: QuerySet[Device]) -> HttpResponse | None:
        groups = Group.objects.filter(tenant__in=tenants_of(request.user, Role.ADMIN))
        form = ChoiceForm(request.POST if confirmed(request) else None, groups, _("Group (none: out of all groups)"), required=False)
        if not form.is_valid():
            consequence = _("The group takes the place of the groups they are in.")
            return self._ask(request, queryset, question=_("Move to which group?"), consequence=consequence, verb=_("Move"), form=form)
        group = form.cleaned_data["choice"]
        self._change(request, queryset.filter(tenant=group.tenant) if group else queryset, groups=[group] if group else [])
        return None

    @admin.action(description=gettext_lazy("Set product"), permissions=["change"])
    def set_product(self, request: HttpRequest, queryset: QuerySet[Device]) -> HttpResponse | None:
        products = Product.objects.filter(tenant__in=tenants_of(request.user, Role.ADMIN))
        form = ChoiceForm(request.POST if confirmed(request) else None, products, _("Product"), required=True)
        if not form.is_valid():
            consequence = _(
                "From now on their messages are read by this product's codec and thing model. Stored readings stay as they are."
            )
            return self._ask(
                request, queryset, question=_("Which product are they?"), consequence=consequence, verb=_("Set product"), form=form
            )
        product = form.cleaned_data["choice"]
        self._change(request, queryset.filter(tenant=product.tenant), product=product)
        return None

    @admin.action(description=gettext_lazy("New credentials as CSV"), permissions=["change"])
    def rotate_many(self, request: HttpRequest, queryset: QuerySet[Device]) -> HttpResponse | None:
        if not confirmed(request):
            consequence = _(
                "Each gets a new secret, which is in the file and nowhere else. Old secrets end at once, open sessions within seconds."
            )
            return self._ask(request, queryset, question=_("Make new credentials?"), consequence=consequence, verb=_("Make and download"))
        response = HttpResponse(content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = 'attachment; filename="credentials.csv"'
        response["Cache-Control"] = "no-store, private"
        writer = csv.writer(response)
        writer.writerow(["username", "secret"])
        with transaction.atomic():
            for device in self.only_permitted(request, queryset, Role.ADMIN).order_by("key"):
                writer.writerow([device.key, rotate_secret(device)])
        return response

    @admin.action(description=gettext_lazy("Revoke credentials"), permissions=["change"])
    def revoke_many(self, request: HttpRequest, queryset: QuerySet[Device]) -> HttpResponse | None:
        if not confirmed(request):
            consequence = _("They can't sign in any more; open sessions end within seconds. Their readings stay.")
            return self._ask(request, queryset, question=_("Revoke the credentials?"), consequence=consequence, verb=_("Revoke"))
        self._each(request, queryset, revoke_credentials)
        return None

    @action(description=gettext_lazy("Rotate secret"), url_path="rotate", icon="key", permissions=["change"])
    def rotate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        device = self._one(request, object_id)
        if not confirmed(request):
            consequence = _("The old secret ends at once, an open session within seconds. The new one is shown once.")
            return self._ask_one(request, device, question=_("Rotate the secret?"), consequence=consequence, verb=_("Rotate secret"))
        return show_secret(self, request, device, rotate_secret(device))

    @action(description=gettext_lazy("Revoke credentials"), url_path="revoke", icon="key_off", permissions=["change"])
    def revoke(self, request: HttpRequest, object_id: str) -> HttpResponse:
        device = self._one(request, object_id)
        if not confirmed(request):
            consequence = _("The device can't sign in any more; an open session ends within seconds. Its readings stay.")
            return self._ask_one(request, device, question=_("Revoke the credentials?"), consequence=consequence, verb=_("Revoke"))
        revoke_credentials(device)
        messages.success(request, _("Credentials of %(device)s revoked.") % {"device": device})
        return HttpResponseRedirect(_address(device))

    def _one(self, request: HttpRequest, object_id: str) -> Device:
        device = self.get_object(request, object_id)
        if device is None or not self.has_change_permission(request, device):
            raise Http404
        return device

    def _ask_one(self, request: HttpRequest, device: Device, **words: str) -> HttpResponse:
        return ask(request, self, names=[f"{device.name} ({device.key})"], back=_address(device), **words)

    def _ask(self, request: HttpRequest, queryset: QuerySet[Device], **words: Any) -> HttpResponse:
        chosen = self.only_permitted(request, queryset, Role.ADMIN)
        names = [f"{device.name} ({device.key})" for device in chosen[:NAMES_SHOWN]]
        if (rest := chosen.count() - len(names)) > 0:
            names.append(_("and %(count)d more") % {"count": rest})
        return ask(request, self, names=names, back=request.get_full_path(), **words)

    def _change(self, request: HttpRequest, queryset: QuerySet[Device], **changes: Any) -> None:
        self._each(request, queryset, lambda device: update_device(device, **changes))

    def _each(self, request: HttpRequest, queryset: QuerySet[Device], verb: Callable[[Device], Any]) -> None:
        """All or none. One by one, so that each change is judged and stands in the history."""
        done = 0
        with transaction.atomic():
            for device in self.only_permitted(request, queryset, Role.ADMIN):
                verb(device)
                done += 1
        messages.success(request, _("%(count)d devices changed.") % {"count": done})


def show_secret(model_admin: Any, request: HttpRequest, device: Device, secret: str) -> HttpResponse:
    """The page that shows a device's new secret, with a first message that its product accepts."""
    return shown_once(
        request,
        model_admin,
        title=_("Credentials of %(device)s") % {"device": device.name},
        explanation=_("Copy the secret now: it is not kept in readable form, and nobody can show it again."),
        secrets=[(_("User name"), device.key), (_("Secret"), secret)],
        snippet=mosquitto(device.key, endpoint_of(request), message_for(device), secret),
        links=[
            (_("The device's page"), device.get_absolute_url()),
            (_("Edit the device"), _address(device)),
            (_("All devices"), reverse("admin:devices_device_changelist")),
        ],
    )


def _address(device: Device) -> str:
    return reverse("admin:devices_device_change", args=[device.pk])
