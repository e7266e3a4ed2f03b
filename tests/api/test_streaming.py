"""A long file is sent as it is made, under ASGI too."""

import asyncio
from collections.abc import Iterator

from django.test import AsyncRequestFactory, RequestFactory

from iotpanel.api.streaming import stream_csv


class Lines:
    """Counts how many lines were asked for."""

    def __init__(self) -> None:
        self.made = 0

    def __iter__(self) -> Iterator[str]:
        for number in range(1000):
            self.made += 1
            yield f"{number}\n"


def test_under_asgi_a_line_is_made_when_it_is_sent() -> None:
    lines = Lines()
    response = stream_csv(AsyncRequestFactory().get("/"), iter(lines), "all.csv")

    async def two() -> list[bytes]:
        content = response.streaming_content.__aiter__()  # type: ignore[union-attr]
        return [await anext(content), await anext(content)]

    assert response.is_async
    assert asyncio.run(two()) == [b"0\n", b"1\n"]
    assert lines.made == 2


def test_all_of_it_arrives() -> None:
    response = stream_csv(RequestFactory().get("/"), iter(Lines()), "all.csv")
    assert response.getvalue().count(b"\n") == 1000
    assert response["Content-Disposition"] == 'attachment; filename="all.csv"'
