"""An image as an answer: a part or the whole of it, read piece by piece, under ASGI too."""

from collections.abc import AsyncIterator, Generator, Iterator

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.translation import gettext as _

from devices.models import Firmware
from iotpanel import metrics
from iotpanel.api.errors import Unavailable

from . import files
from .ranges import Unsatisfiable, part_of

WAIT = 10.0  # seconds until somebody who was one too many comes again


class Doors:
    """How many images are on their way: a server that keeps what slow clients have not read must not keep any number of them."""

    def __init__(self) -> None:
        self.open = 0

    def enter(self) -> None:
        """Raises Unavailable where it is one too many."""
        if self.open >= settings.FIRMWARE_DOWNLOADS:
            raise Unavailable(_("Too many downloads at once. Try again soon."), WAIT)
        self.open += 1

    def leave(self) -> None:
        self.open -= 1


DOORS = Doors()


def send(request: HttpRequest, firmware: Firmware) -> HttpResponseBase:
    """200, 206 or 416. Raises Unavailable, FileNotFoundError."""
    etag = f'"{firmware.sha256}"'
    headers = {"Accept-Ranges": "bytes", "ETag": etag, "Cache-Control": "private, no-transform", "X-Content-SHA256": firmware.sha256}
    try:
        part = part_of(firmware.size, request.headers.get("Range"), request.headers.get("If-Range"), etag)
    except Unsatisfiable:
        return HttpResponse(status=416, headers=headers | {"Content-Range": f"bytes */{firmware.size}"})
    headers |= {"Content-Length": str(part.length), "Content-Disposition": 'attachment; filename="firmware.bin"'}
    if not part.is_whole:
        headers["Content-Range"] = f"bytes {part.start}-{part.start + part.length - 1}/{firmware.size}"
    status = 200 if part.is_whole else 206
    if request.method == "HEAD":
        return HttpResponse(status=status, headers=headers, content_type="application/octet-stream")
    if not files.path_of(firmware.file).is_file():
        raise FileNotFoundError(firmware.file)
    DOORS.enter()
    body = Leaving(files.pieces(firmware.file, part.start, part.length), DOORS)
    content = OneByOne(body) if isinstance(request, ASGIRequest) else body
    return StreamingHttpResponse(content, status=status, headers=headers, content_type="application/octet-stream")


class Leaving(Iterator[bytes]):
    """Pieces of an image; the door is left when the answer is closed, also where nobody has read any of it."""

    def __init__(self, pieces: Generator[bytes], doors: Doors) -> None:
        self._pieces, self._doors = pieces, doors
        self._inside = True

    def __next__(self) -> bytes:
        piece = next(self._pieces)
        metrics.FIRMWARE_BYTES.labels("http").inc(len(piece))
        return piece

    def close(self) -> None:
        self._pieces.close()
        if self._inside:
            self._inside = False
            self._doors.leave()

    def __del__(self) -> None:
        self.close()


class OneByOne(AsyncIterator[bytes]):
    """Django would read a plain iterator to its end before it sends anything; threads of their own, as disks may be slow."""

    def __init__(self, pieces: Leaving) -> None:
        self._following = sync_to_async(lambda: next(pieces, None), thread_sensitive=False)
        self.close = pieces.close

    async def __anext__(self) -> bytes:
        piece = await self._following()
        if piece is None:
            raise StopAsyncIteration
        return piece
