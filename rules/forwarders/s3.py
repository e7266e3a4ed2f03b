"""S3 and what speaks its protocol: each batch becomes one object of JSON lines or a Parquet file, plain or gzipped."""

import datetime
import gzip
import hashlib
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from rules.outside import http
from rules.outside.errors import Down, Rejected
from rules.outside.signing_s3 import signed_s3
from rules.outside.urls import BEGINNING
from rules.template import compile_template

from .base import Message, flag, schema, secret, templated, text
from .parquet import parquet
from .rows import rows_of

BUNDLE = 5_000


class S3Forwarder:
    TITLE = "S3"
    SETTINGS = schema(
        {
            "url": text("Address", pattern=BEGINNING, **{"x-address": True}, description="https://s3.eu-central-1.amazonaws.com"),
            "region": text("Region", default="us-east-1", pattern=r"^[a-z0-9-]{1,64}$"),
            "bucket": text("Bucket", pattern=r"^[a-z0-9][a-z0-9.-]{1,62}$"),
            "prefix": templated("Folder", default="{{ tenant.key }}/{{ stream }}", maxLength=500),
            "access_key": text("Access key", minLength=1, pattern=r"^[\x21-\x7e]*$"),
            "secret_key": secret("Secret key"),
            "format": {"type": "string", "title": "Format", "enum": ["jsonl", "parquet"], "default": "jsonl"},
            "gzip": flag("Compress"),
            "verify": flag("Check the server's certificate", True),
        },
        ["url", "bucket", "access_key"],
    )
    OBJECTS = False
    EXPERIMENTAL = False
    batch = BUNDLE

    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings = settings
        self.prefix = compile_template(settings.get("prefix", "{{ tenant.key }}/{{ stream }}"))
        self.http = http.client(verify=settings.get("verify", True))

    def send(self, messages: Sequence[Message]) -> str:
        """The name holds the time of the first message and a digest: the same batch again writes the same object.

        Raises Down, Rejected (where a row of a Parquet file is no JSON object).
        """
        packed, ending, kind = self._packed(messages)
        url = f"{self.settings['url'].rstrip('/')}/{self.settings['bucket']}/{quote(self._name(messages, packed, ending), safe='/')}"
        headers = {"Content-Type": kind}
        keys = (self.settings["access_key"], self.settings.get("secret_key", ""))
        headers = signed_s3("PUT", url, packed, headers, keys, self.settings.get("region", "us-east-1"))
        try:
            http.send(self.http, "PUT", url, content=packed, headers=headers)
        except Rejected as error:  # no object is refused for what is in it
            raise Down(str(error)) from error
        return url

    def _packed(self, messages: Sequence[Message]) -> tuple[bytes, str, str]:
        """The object, how its name ends, and its type."""
        small = bool(self.settings.get("gzip"))
        if self.settings.get("format") == "parquet":
            return parquet(rows_of(messages), compressed=small), ".parquet", "application/vnd.apache.parquet"
        body = "".join(message.body.replace("\n", " ") + "\n" for message in messages).encode()
        if small:
            return gzip.compress(body, mtime=0), ".jsonl.gz", "application/gzip"
        return body, ".jsonl", "application/x-ndjson"

    def _name(self, messages: Sequence[Message], packed: bytes, ending: str) -> str:
        at = datetime.datetime.fromtimestamp(messages[0].at / 1_000_000, datetime.UTC)
        folder = "/".join(step for step in self.prefix.render(messages[0].context).split("/") if step.strip(". "))
        return f"{folder}/{at:%Y/%m/%d}/{at:%H%M%S.%f}-{hashlib.sha256(packed).hexdigest()[:12]}{ending}".lstrip("/")

    def close(self) -> None:
        self.http.close()
