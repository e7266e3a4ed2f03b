"""The admin's forms write by the verbs, as the API does: what a verb refuses comes back at its field."""

from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from unfold.admin import ModelAdmin

from iotpanel.api.errors import Conflict


class VerbForm(forms.ModelForm):
    """Reads what was typed; the judgement is the verb's, and `refused` is what it said of the same request."""

    refused: ValidationError | None = None
    shown_at: ClassVar[dict[str, str]] = {}  # where a field's problems are shown that the form splits into several

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.refused is not None:
            for name, errors in self.refused.error_dict.items():
                field = self.shown_at.get(name, name)
                self.add_error(field if field in self.fields else None, errors)
        return cleaned

    def validate_unique(self) -> None:
        """Left to the verb, which answers races too."""

    def _post_clean(self) -> None:
        """Constraints too, which Django checks in the instance's full_clean."""
        self.instance.validate_constraints = lambda exclude=None: None
        super()._post_clean()  # type: ignore[misc]


class ByVerbs(ModelAdmin):
    """Saves and deletes by verbs. A class says `create`, `update` and `remove`; what they raise is shown, never a 500."""

    form: Any = VerbForm
    conflict_field = "key"
    secret_fields: tuple[str, ...] = ()

    def create(self, request: HttpRequest, values: dict[str, Any]) -> Model:
        raise NotImplementedError

    def update(self, request: HttpRequest, obj: Any, changes: dict[str, Any]) -> None:
        raise NotImplementedError

    def remove(self, request: HttpRequest, obj: Any) -> None:
        obj.delete()

    def blockers(self, obj: Any) -> list[str]:
        """What stands against deleting this, in words; asked before the question is put."""
        return []

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        """Runs again where a verb refused (the first run is rolled back by then), this time with its words in the form."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except ValidationError as error:
            refused = error if hasattr(error, "error_dict") else ValidationError({"__all__": error.error_list})
        except Conflict as error:
            refused = ValidationError({self.conflict_field: error.message})
        request.refused = refused  # type: ignore[attr-defined]
        return super().changeform_view(request, object_id, form_url, extra_context)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        form.refused = getattr(request, "refused", None)  # a class of this request's own
        return form

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            changed = {name: form.cleaned_data[name] for name in form.changed_data if name in form.cleaned_data}
            if changed:
                self.update(request, obj, self.values_of(form, changed))
        else:
            made = self.create(request, self.values_of(form, form.cleaned_data))
            obj.__dict__.update(made.__dict__)

    def values_of(self, form: Any, cleaned: dict[str, Any]) -> dict[str, Any]:
        """The verb's arguments, where form fields are other ones."""
        return dict(cleaned)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Nothing: the verb has saved all of it."""

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        self.remove(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for obj in queryset:
            self.remove(request, obj)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> Any:
        try:
            return super().delete_view(request, object_id, extra_context)
        except Conflict as error:
            messages.error(request, error.message)
            return HttpResponseRedirect(request.path)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        try:
            return super().changelist_view(request, extra_context)
        except Conflict as error:
            messages.error(request, error.message)
            return HttpResponseRedirect(request.get_full_path())

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[list[Any], dict[str, int], set[str], list[Any]]:
        """Names what the person chose, not the hundreds of rows behind it, and what stands against it."""
        chosen = list(objs)
        shown = [str(obj) for obj in chosen[:100]] + (["…"] if len(chosen) > 100 else [])
        protected = [reason for obj in chosen for reason in self.blockers(obj)]
        return shown, {str(self.opts.verbose_name_plural): len(chosen)}, set(), protected
