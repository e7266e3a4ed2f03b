"""InfluxDB: writes line protocol over HTTP, to version 1 (a database) or 2 (a bucket of an organization).

A message is a JSON object: its texts are tags; the object in `values`, or else all that is no text, are the fields.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from django.utils.translation import gettext as _

from rules.outside import http
from rules.outside.errors import Down, Rejected
from rules.outside.urls import BEGINNING
from rules.template import compile_template

from .base import BATCH, Message, flag, schema, secret, templated, text

_SPECIAL = re.compile(r"([,= \\])")
NOT_FIELDS = {"ts", "at"}


class InfluxdbForwarder:
    TITLE = "InfluxDB"
    SETTINGS = schema(
        {
            "url": text("Address", pattern=BEGINNING, **{"x-address": True}),
            "database": text("Database (version 1)"),
            "bucket": text("Bucket (version 2)"),
            "org": text("Organization (version 2)"),
            "measurement": templated("Measurement", minLength=1, default="{{ device.product }}"),
            "username": text("User name"),
            "password": secret("Password"),
            "token": secret("Token (version 2)", pattern=r"^[\x21-\x7e]*$"),
            "verify": flag("Check the server's certificate", True),
        },
        ["url", "measurement"],
    ) | {"anyOf": [{"required": ["database"]}, {"required": ["bucket", "org"]}]}
    OBJECTS = True
    EXPERIMENTAL = False
    batch = BATCH

    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings = settings
        self.measurement = compile_template(settings["measurement"])
        self.http = http.client(verify=settings.get("verify", True))
        self.headers = {"Content-Type": "text/plain; charset=utf-8"}
        if settings.get("token"):
            self.headers["Authorization"] = f"Token {settings['token']}"
        elif settings.get("username"):
            self.http.auth = (settings["username"], settings.get("password", ""))

    def send(self, messages: Sequence[Message]) -> str:
        """Version 1 may store some lines of a batch and refuse others: sent again in halves, what is stored stays as it is."""
        lines = [line(self.measurement.render(message.context), message) for message in messages]
        try:
            answer = http.send(
                self.http, "POST", self._address(), params=self._query(), content="\n".join(lines).encode(), headers=self.headers
            )
        except Rejected as error:
            if "database not found" in str(error):
                raise Down(str(error)) from error
            raise
        return http.said(answer)

    def _address(self) -> str:
        path = "/write" if self.settings.get("database") else "/api/v2/write"
        return str(self.settings["url"]).rstrip("/") + path

    def _query(self) -> dict[str, str]:
        given = self.settings
        if given.get("database"):
            return {"db": given["database"], "precision": "u"}
        return {"bucket": given["bucket"], "org": given["org"], "precision": "us"}

    def close(self) -> None:
        self.http.close()


def line(measurement: str, message: Message) -> str:
    """One line of the protocol. Raises Rejected where there is nothing that could be a field."""
    try:
        found = orjson.loads(message.body)
    except orjson.JSONDecodeError as error:
        raise Rejected(_("This is no JSON: %(error)s") % {"error": error}) from error
    if not isinstance(found, dict):
        raise Rejected(_("This is no JSON object with columns."))
    known = {key: value for key, value in found.items() if key not in NOT_FIELDS}
    tags = {"device": message.key} | {key: value for key, value in known.items() if isinstance(value, str) and value}
    values = found.get("values")
    inner: Mapping[str, Any] = values if isinstance(values, dict) else {key: value for key, value in known.items() if key not in tags}
    fields = ",".join(f"{_name(key)}={shown}" for key, value in inner.items() if (shown := _field(value)))
    if not fields:
        raise Rejected(_("There is no value in it."))
    stamps = "".join(f",{_name(key)}={_name(value)}" for key, value in sorted(tags.items()))
    return f"{_name(measurement) or 'iotpanel'}{stamps} {fields} {message.at}"


def _name(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text.replace("\n", " ").replace("\r", " "))


def _field(value: Any) -> str:
    """Numbers are floats: a field that is whole once and broken once would be refused the second time."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(float(value))
    if value is None:
        return ""
    inner = value if isinstance(value, str) else orjson.dumps(value).decode()
    escaped = inner.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
