"""A Parquet file on its way through a real S3 server: signed, stored, fetched, read."""

from urllib.parse import unquote, urlsplit

import pytest

from rules.forwarders.s3 import S3Forwarder
from tests.rules.forwarders.test_parquet import messages, read

from .databases import S3


@pytest.mark.parametrize("server", ["s3"], indirect=True)
def test_a_batch_is_one_file(server: S3) -> None:
    adapter = S3Forwarder(server.settings() | {"format": "parquet", "gzip": True})
    try:
        url = adapter.send(messages('{"device": "a", "n": 1, "ts": 1767225600000}', '{"device": "b", "n": null}'))
        place = unquote(urlsplit(url).path).removeprefix("/plant/")
        found = server.client.get_object(Bucket="plant", Key=place)
        server.client.delete_object(Bucket="plant", Key=place)
        assert found["ContentType"] == "application/vnd.apache.parquet"
        assert place.endswith(".parquet")
        assert read(found["Body"].read()) == {
            "device": ("text", ["a", "b"]),
            "n": ("double", [1.0, None]),
            "ts": ("int64", [1_767_225_600_000, None]),
        }
    finally:
        adapter.close()
