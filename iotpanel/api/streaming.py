"""Answers that are too long to hold: sent line by line, under ASGI too."""

from collections.abc import AsyncIterator, Iterator

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse


def stream_csv(request: HttpRequest, lines: Iterator[str], file_name: str) -> StreamingHttpResponse:
    """The lines as a file to be kept. `file_name` must be safe: letters, digits, `_`, `.`, `-`.

    Under ASGI Django would read a plain iterator to its end before it sends anything: there the lines go one by one.
    """
    content = _one_by_one(lines) if isinstance(request, ASGIRequest) else lines
    headers = {"Content-Disposition": f'attachment; filename="{file_name}"', "X-Accel-Buffering": "no"}
    return StreamingHttpResponse(content, content_type="text/csv; charset=utf-8", headers=headers)


async def _one_by_one(lines: Iterator[str]) -> AsyncIterator[str]:
    following = sync_to_async(lambda: next(lines, None))
    while (line := await following()) is not None:
        yield line
