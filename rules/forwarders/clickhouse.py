"""ClickHouse: inserts rows over HTTP as JSON, a batch in one statement."""

from collections.abc import Sequence
from typing import Any

import orjson
from django.utils.translation import gettext as _

from rules.outside import http
from rules.outside.errors import Down, Rejected
from rules.outside.urls import BEGINNING

from .base import BATCH, Message, flag, schema, secret, text
from .rows import NAME, rows_of

# Codes of answers that are about the rows: cannot parse, unknown column, type mismatch, and their kin.
OF_THE_MESSAGE = (
    "Code: 6,",
    "Code: 27",
    "Code: 26,",
    "Code: 38,",
    "Code: 41,",
    "Code: 53,",
    "Code: 69,",
    "Code: 70,",
    "Code: 72,",
    "Code: 117",
    "Code: 131",
    "Code: 16,",
)


class ClickhouseForwarder:
    TITLE = "ClickHouse"
    SETTINGS = schema(
        {
            "url": text("Address", pattern=BEGINNING, **{"x-address": True}),
            "database": text("Database", pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", default="default"),
            "table": text("Table", pattern=NAME, default="readings"),
            "username": text("User name"),
            "password": secret("Password", pattern=r"^[\x20-\x7e]*$"),
            "verify": flag("Check the server's certificate", True),
        },
        ["url", "table"],
    )
    OBJECTS = True
    EXPERIMENTAL = False
    batch = BATCH

    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings = settings
        self.http = http.client(verify=settings.get("verify", True))
        self.headers = {"Content-Type": "application/x-ndjson"}
        if settings.get("username"):
            self.headers |= {"X-ClickHouse-User": settings["username"], "X-ClickHouse-Key": settings.get("password", "")}

    def send(self, messages: Sequence[Message]) -> str:
        rows = rows_of(messages)
        query = f"INSERT INTO {self.settings['table']} FORMAT JSONEachRow"  # names match NAME
        params = {"query": query, "database": self.settings.get("database", "default"), "input_format_skip_unknown_fields": "0"}
        body = b"\n".join(orjson.dumps(row) for row in rows)
        try:
            http.send(self.http, "POST", self.settings["url"], params=params, content=body, headers=self.headers)
        except (Down, Rejected) as error:
            if any(code in str(error) for code in OF_THE_MESSAGE):
                raise Rejected(str(error)) from error
            raise Down(str(error)) from error
        return _("%(number)d rows") % {"number": len(rows)}

    def close(self) -> None:
        self.http.close()
