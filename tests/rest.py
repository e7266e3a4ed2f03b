"""A client of the REST API for tests: signed in by a real token, answers as JSON."""

from typing import Any

import orjson
from django.test import Client
from knox.models import AuthToken

from iotpanel.tenants.models import User

BASE = "/api/v1/"


class Rest:
    """`Rest(user).get("devices/")`; without a user it is signed in as nobody."""

    def __init__(self, user: User | None = None, *, bearer: str = "", authorization: str = "", tenant: str = "") -> None:
        self.client = Client(raise_request_exception=True)
        if user is not None:
            bearer = AuthToken.objects.create(user)[1]
        given = {"Authorization": f"Bearer {bearer}" if bearer else authorization, "X-Tenant": tenant}
        self.headers = {name: value for name, value in given.items() if value}

    def get(self, path: str, **query: Any) -> Any:
        return self.client.get(BASE + path, query, headers=self.headers)

    def post(self, path: str, data: Any = None) -> Any:
        return self.send("POST", path, data)

    def put(self, path: str, data: Any = None) -> Any:
        return self.send("PUT", path, data)

    def patch(self, path: str, data: Any = None) -> Any:
        return self.send("PATCH", path, data)

    def delete(self, path: str, data: Any = None) -> Any:
        return self.send("DELETE", path, data)

    def send(self, method: str, path: str, data: Any = None) -> Any:
        body = data if isinstance(data, bytes) else b"" if data is None else orjson.dumps(data)
        return self.client.generic(method, BASE + path, body, content_type="application/json", headers=self.headers)


def results(answer: Any) -> list[Any]:
    """The rows of a list's answer."""
    assert answer.status_code == 200, answer.content
    return list(answer.json()["results"])


def refused(answer: Any, status: int, code: str) -> dict[str, Any]:
    """Checks that the answer is this error, in the one shape; returns its details."""
    assert answer.status_code == status, (answer.status_code, answer.content)
    body = answer.json()
    assert set(body) == {"code", "message", "details"}
    assert body["code"] == code, body
    assert body["message"]
    return body["details"] or {}
