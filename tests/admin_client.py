"""A browser in the admin, as far as tests need one: whose it is, and what its forms send."""

from typing import Any

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import connection
from django.db.models import Model
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from iotpanel.tenants.models import User


class Admin:
    """One person's view of the admin."""

    def __init__(self, user: User) -> None:
        self.client = Client()
        self.client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")

    @staticmethod
    def address(model: type[Model] | Model, view: str = "changelist", *args: Any) -> str:
        meta = model._meta
        return reverse(f"admin:{meta.app_label}_{meta.model_name}_{view}", args=args)

    def list(self, model: type[Model], **query: Any) -> HttpResponse:
        return self.client.get(self.address(model), query)  # type: ignore[return-value]

    def open(self, obj: Model, view: str = "change") -> HttpResponse:
        return self.client.get(self.address(obj, view, obj.pk))  # type: ignore[return-value]

    def add(self, model: type[Model], **values: Any) -> HttpResponse:
        return self.client.post(self.address(model, "add"), values)  # type: ignore[return-value]

    def change(self, obj: Model, **values: Any) -> HttpResponse:
        return self.client.post(self.address(obj, "change", obj.pk), values)  # type: ignore[return-value]

    def delete(self, obj: Model) -> HttpResponse:
        return self.client.post(self.address(obj, "delete", obj.pk), {"post": "yes"})  # type: ignore[return-value]

    def act(self, model: type[Model], name: str, *objects: Model, **values: Any) -> HttpResponse:
        """A bulk action, already confirmed."""
        chosen = [obj.pk for obj in objects]
        sent = {"action": name, ACTION_CHECKBOX_NAME: chosen, "confirmed": "yes"} | values
        return self.client.post(self.address(model), sent)  # type: ignore[return-value]

    def press(self, obj: Model, path: str, **values: Any) -> HttpResponse:
        """A button of a record's page, already confirmed."""
        return self.client.post(f"{self.address(obj, 'change', obj.pk).removesuffix('change/')}{path}/", {"confirmed": "yes"} | values)  # type: ignore[return-value]


def errors_of(response: Any) -> dict[str, list[str]]:
    """The fields that a form found wrong."""
    assert response.status_code == 200, response.status_code
    form = response.context["adminform"].form
    return {name: [str(message) for message in messages] for name, messages in form.errors.items()}


def queries_of(user: User, model: type[Model], obj: Model | None = None) -> int:
    """How many questions the database is asked for the list, or for one record, once what is remembered is known."""
    admin = Admin(user)
    for _warm in range(2):
        with CaptureQueriesContext(connection) as asked:
            page = admin.list(model) if obj is None else admin.open(obj)
    assert page.status_code == 200
    return len(asked)
