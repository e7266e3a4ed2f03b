"""What a channel's adapter is: it is given one message, and hands it to a service or says why not."""

from typing import Any, NamedTuple, Protocol

import httpx

from rules.forwarders.base import schema, secret, templated, text
from rules.outside import http
from rules.outside.errors import Down, Rejected, shortened


class Note(NamedTuple):
    """One message: title and text as plain text, and all that it is about, for who wants to read it by program."""

    tenant_id: int
    channel_id: int
    title: str
    text: str
    about: list[dict[str, Any]]


class Adapter(Protocol):
    SETTINGS: dict[str, Any]
    TITLE: str
    EXPERIMENTAL: bool

    def __init__(self, settings: dict[str, Any]) -> None: ...

    def send(self, note: Note) -> str:
        """Hand the message over; what was answered. Raises Down, Rejected."""
        ...


def post(url: str, body: Any, **options: Any) -> httpx.Response:
    """Post JSON on a connection of its own: messages to people are rare."""
    with http.client() as client:
        return http.send(client, "POST", url, json=body, **options)


def checked(answer: httpx.Response, name: str, good: Any, busy: tuple[Any, ...] = ()) -> str:
    """For services that answer 200 whatever happened, and say in `name` of the body what did. Raises Rejected, Down."""
    try:
        said = answer.json()
    except ValueError as error:
        raise Down(http.said(answer)) from error
    code = said.get(name) if isinstance(said, dict) else None
    if code == good:
        return http.said(answer)
    raise (Down if code in busy or code is None else Rejected)(shortened(answer.text))


__all__ = ["Adapter", "Note", "checked", "post", "schema", "secret", "templated", "text"]
