"""Import and export of devices in the admin: django-import-export's way through it, our own judgement of the rows."""

import csv
import io
from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from import_export.admin import ImportExportMixin
from import_export.fields import Field
from import_export.formats.base_formats import CSV
from import_export.forms import ConfirmImportForm
from import_export.resources import Resource
from import_export.results import Error, Result, RowResult
from tablib import Dataset
from unfold.contrib.import_export.forms import ImportForm
from unfold.widgets import UnfoldAdminSelectWidget

from devices.device_csv import COLUMNS, RowPlan, make_plan, row_of, write
from devices.device_csv.plan import OVERFLOW
from devices.models import Device
from iotpanel.api.errors import Conflict
from iotpanel.tenants.admin.access import tenants_of
from iotpanel.tenants.models import Role, Tenant

MAX_BYTES = 10_000_000
SHOWN = 200  # of each kind; the counts are of all
_KINDS = {"new": RowResult.IMPORT_TYPE_NEW, "update": RowResult.IMPORT_TYPE_UPDATE, "same": RowResult.IMPORT_TYPE_SKIP}


class DeviceCsv(CSV):
    """Rows of any length: what is missing is empty, what is too much goes into a column of its own and is named."""

    def create_dataset(self, in_stream: Any, **kwargs: Any) -> Dataset:
        text = in_stream.decode(self.encoding or "utf-8-sig") if isinstance(in_stream, bytes) else in_stream or ""
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text)))
        headers = [name.strip().lower() for name in rows[0]] if rows else []
        data = Dataset(headers=[*headers, OVERFLOW])
        for row in rows[1:]:
            padded = row + [""] * (len(headers) - len(row))
            data.append([*padded[: len(headers)], "; ".join(padded[len(headers) :])])
        return data


def _delimiter(text: str) -> str:
    """Spreadsheets of half the world write semicolons."""
    first = text.split("\n", 1)[0]
    return ";" if first.count(";") > first.count(",") else ","


class DeviceResource(Resource):
    """All rows or none: a file with a bad row writes nothing."""

    def __init__(self, tenant: Tenant | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.tenant = tenant
        self.fields = {column: Field(attribute=column, column_name=column) for column in COLUMNS}

    @classmethod
    def get_display_name(cls) -> str:
        return str(Device._meta.verbose_name_plural)

    def get_import_order(self) -> list[str]:
        return list(COLUMNS)

    get_export_order = get_import_order

    def export(self, queryset: Any = None, **kwargs: Any) -> Dataset:
        data = Dataset(headers=list(COLUMNS))
        for device in queryset.select_related("product", "parent").prefetch_related("groups").order_by("key"):
            data.append(list(row_of(device).values()))
        return data

    def import_data(self, dataset: Dataset, dry_run: bool = False, **kwargs: Any) -> Result:
        assert self.tenant is not None
        plan = make_plan(self.tenant, dataset.headers or [], _rows(dataset))
        result = Result()
        result.diff_headers, result.total_rows = list(COLUMNS), len(plan.rows)
        for problem in plan.problems:
            result.append_base_error(Error(ValueError(problem)))
        for row in plan.rows:
            _note(result, row)
        if not dry_run and not plan.problems and not plan.bad:
            try:
                write(plan)
            except Conflict as error:
                result.append_base_error(Error(ValueError(error.message)))
        return result


def _rows(dataset: Dataset) -> Iterator[dict[str, str]]:
    headers = dataset.headers or []
    return (dict(zip(headers, dataset[index], strict=True)) for index in range(len(dataset)))


def _note(result: Result, row: RowPlan) -> None:
    """Counts every row; keeps the bad ones, and of the others as many as a person looks at."""
    if row.problems:
        result.totals[RowResult.IMPORT_TYPE_INVALID] += 1
        if len(result.invalid_rows) < SHOWN:
            result.append_invalid_row(row.number, row.cells, ValidationError(row.problems))
        return
    kind = _KINDS[row.kind]
    result.totals[kind] += 1
    if row.kind != "same" and len(result.rows) < SHOWN:
        shown, changes = RowResult(), row.changes()
        shown.import_type = kind
        shown.diff = [f"{changes[name][0] or '–'} → {text or '–'}" if name in changes else text for name, text in row.after().items()]
        result.append_row_result(shown)


class DeviceImportForm(ImportForm):
    tenant = forms.ModelChoiceField(queryset=Tenant.objects.none(), label=gettext_lazy("Tenant"), widget=UnfoldAdminSelectWidget)

    def __init__(self, *args: Any, tenants: QuerySet[Tenant], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _choose(self.fields["tenant"], tenants)
        self.fields["import_file"].help_text = _(
            "UTF-8 with a header; comma or semicolon. “groups”: keys with “;” between. “labels”: key=value with “;” between. "
            "A column that is left out changes nothing, an empty cell empties. First comes a dry run."
        )

    def clean_import_file(self) -> Any:
        file = self.cleaned_data["import_file"]
        if file.size > MAX_BYTES:
            raise ValidationError(_("At most %(limit)d MB.") % {"limit": MAX_BYTES // 1_000_000})
        return file


class DeviceConfirmForm(ConfirmImportForm):
    tenant = forms.ModelChoiceField(queryset=Tenant.objects.none(), widget=forms.HiddenInput)

    def __init__(self, *args: Any, tenants: QuerySet[Tenant], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _choose(self.fields["tenant"], tenants)


def _choose(field: Any, tenants: QuerySet[Tenant]) -> None:
    field.queryset = tenants
    if field.initial is None:
        field.initial = tenants.first()


class DeviceExchange(ImportExportMixin):
    """Mixed into the device admin."""

    resource_classes = [DeviceResource]
    formats = [DeviceCsv]
    import_form_class = DeviceImportForm
    confirm_form_class = DeviceConfirmForm
    skip_export_form = True
    skip_admin_log = True  # the audit log has it, row by row

    def has_import_permission(self, request: HttpRequest) -> bool:
        return bool(self.has_add_permission(request))

    def has_export_permission(self, request: HttpRequest) -> bool:
        return bool(self.has_view_permission(request))

    def get_import_form_kwargs(self, request: HttpRequest) -> dict[str, Any]:
        return {**super().get_import_form_kwargs(request), "tenants": tenants_of(request.user, Role.ADMIN)}

    def get_confirm_form_kwargs(self, request: HttpRequest, import_form: Any = None) -> dict[str, Any]:
        return {**super().get_confirm_form_kwargs(request, import_form), "tenants": tenants_of(request.user, Role.ADMIN)}

    def get_confirm_form_initial(self, request: HttpRequest, import_form: Any) -> dict[str, Any]:
        initial: dict[str, Any] = super().get_confirm_form_initial(request, import_form)
        return initial | ({"tenant": import_form.cleaned_data["tenant"]} if import_form is not None else {})

    def get_import_resource_kwargs(self, request: HttpRequest, **kwargs: Any) -> dict[str, Any]:
        form = kwargs.get("form")
        cleaned = getattr(form, "cleaned_data", None) or {}
        return {"tenant": cleaned.get("tenant")}

    def get_export_resource_kwargs(self, request: HttpRequest, **kwargs: Any) -> dict[str, Any]:
        return {}

    def import_action(self, request: HttpRequest, **kwargs: Any) -> Any:
        """The dry run says in one sentence what would happen."""
        response = super().import_action(request, **kwargs)
        result = (getattr(response, "context_data", None) or {}).get("result")
        if result is not None and not result.base_errors:
            counts = {name: result.totals[kind] for name, kind in {**_KINDS, "bad": RowResult.IMPORT_TYPE_INVALID}.items()}
            messages.info(
                request, _("Dry run: %(new)d new, %(update)d changed, %(same)d unchanged, %(bad)d bad. Nothing is written yet.") % counts
            )
        return response

    def process_result(self, result: Result, request: HttpRequest) -> HttpResponse:
        if result.has_errors() or result.has_validation_errors() or not result.total_rows:
            reasons = "; ".join(str(error.error) for error in result.base_errors)
            messages.error(request, _("Nothing was imported. %(reasons)s Upload the file again.") % {"reasons": reasons})
            return HttpResponseRedirect(reverse("admin:devices_device_import"))
        response: HttpResponse = super().process_result(result, request)
        return response

    def add_success_message(self, result: Result, request: HttpRequest) -> None:
        counts = {name: result.totals[kind] for name, kind in _KINDS.items()}
        words = _("%(new)d devices made, %(update)d changed, %(same)d unchanged.") % counts
        if counts["new"]:
            words += " " + _("New ones have no credentials yet: choose them and take “New credentials as CSV”.")
        messages.success(request, words)

    def export_chosen(self, request: HttpRequest, queryset: QuerySet[Device]) -> HttpResponse:
        response: HttpResponse = self._do_file_export(DeviceCsv(), request, queryset)
        return response

    export_chosen.short_description = gettext_lazy("Export as CSV")  # type: ignore[attr-defined]
