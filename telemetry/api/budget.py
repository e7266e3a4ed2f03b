"""Pages that hold whole messages are bounded by bytes too: five hundred times a megabyte would fill the server."""

from collections.abc import Sequence
from typing import Any, TypeVar

from django.db.models import Func, IntegerField, TextField
from django.db.models.functions import Cast

from iotpanel.api.pagination import CursorPagination
from telemetry.models import DeadLetterRecord

PAGE_BYTES = 8 * 1024 * 1024
Row = TypeVar("Row")


def octets(field: str, *, is_json: bool = False) -> Func:
    """How many bytes a column holds, measured where it lies."""
    return Func(Cast(field, TextField()) if is_json else field, function="octet_length", output_field=IntegerField())


def fitting(rows: Sequence[Row], most: int | None = None) -> list[Row]:
    """The first rows (with their `size`) that fit into a page together, one at least."""
    kept: list[Row] = []
    left = PAGE_BYTES if most is None else most
    for row in rows:
        left -= row.size  # type: ignore[attr-defined]
        if kept and left < 0:
            break
        kept.append(row)
    return kept


class LetterPagination(CursorPagination):
    """Measures first, and loads only the payloads that are shown."""

    def paginate_queryset(self, queryset: Any, request: Any, view: Any = None) -> list[Any]:
        rows = super().paginate_queryset(queryset.defer("payload").annotate(size=octets("payload")), request, view)
        kept: list[DeadLetterRecord] = fitting(rows)
        if len(kept) < len(rows):
            self.next = self._cursor(kept[-1])
        payloads = dict(DeadLetterRecord.objects.filter(pk__in=[row.pk for row in kept]).values_list("pk", "payload"))
        for row in kept:
            row.payload = payloads.get(row.pk, b"")
        return kept
