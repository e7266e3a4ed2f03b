"""Devices as a CSV file: the whole list out, and in again after a dry run that names each bad row."""

import csv
import io
from collections.abc import Iterator, Mapping
from typing import IO, Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from devices.device_csv import COLUMNS, Plan, make_plan, row_of, write
from devices.device_csv.plan import OVERFLOW
from devices.models import Device
from iotpanel.api.errors import ApiError, TooLarge
from iotpanel.tenants.models import Tenant

MAX_FILE = 16 * 1024 * 1024
CHUNK = 500
MAX_SHOWN = 1_000  # problems in an answer


class CsvParser(BaseParser):
    """A body of text/csv in UTF-8, as one text."""

    media_type = "text/csv"

    def parse(self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        raw = stream.read(MAX_FILE + 1)
        if len(raw) > MAX_FILE:
            raise TooLarge("too_large", _("The file is too large."))
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise ParseError(_("The file is not in UTF-8.")) from error
        if "\0" in text:
            raise ParseError(_("Text may not hold the character U+0000."))
        return text


def plan_of(tenant: Tenant, text: str) -> Plan:
    """What the file would do; raises ParseError for what is no CSV. A header with semicolons alone separates by them."""
    header = text.partition("\n")[0]
    delimiter = ";" if ";" in header and "," not in header else ","
    reader = csv.DictReader(io.StringIO(text, newline=""), restkey=OVERFLOW, delimiter=delimiter)
    try:
        rows = list(reader)
    except csv.Error as error:
        raise ParseError(_("This is no CSV: %(reason)s") % {"reason": error}) from error
    return make_plan(tenant, [name.strip() for name in reader.fieldnames or ()], [_stripped(row) for row in rows])


def carry_out(plan: Plan, *, dry_run: bool) -> dict[str, Any]:
    """Writes the plan unless it is only tried; raises ApiError with the same report where a row is bad."""
    report = _report(plan, dry_run)
    if dry_run:
        return report
    if plan.bad or plan.problems:
        raise ApiError("invalid", plan.problems[0] if plan.problems else _("Some rows are wrong, so none was written."), report)
    write(plan)
    return report


def lines(devices: QuerySet[Device]) -> Iterator[str]:
    """The file, a few hundred rows at a time."""
    yield _csv([COLUMNS])
    rows: list[Any] = []
    for device in devices.iterator(chunk_size=CHUNK):
        rows.append(row_of(device).values())
        if len(rows) == CHUNK:
            yield _csv(rows)
            rows = []
    yield _csv(rows)


def _stripped(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name).strip(): cell for name, cell in row.items()}


def _report(plan: Plan, dry_run: bool) -> dict[str, Any]:
    kinds = [row.kind for row in plan.rows]
    named = [
        {"row": row.number, "key": row.cells.get("key", ""), "column": column, "messages": messages}
        for row in plan.bad
        for column, messages in row.problems.items()
    ]
    about_all = [{"row": 1, "key": "", "column": "", "messages": plan.problems}] if plan.problems else []
    counts = {kind: kinds.count(kind) for kind in ("new", "update", "same", "bad")}
    return {"dry_run": dry_run, "rows": len(plan.rows), **counts, "problems": [*about_all, *named][:MAX_SHOWN]}


def _csv(rows: Any) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerows(rows)
    return buffer.getvalue()
