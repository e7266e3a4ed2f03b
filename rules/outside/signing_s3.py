"""AWS signature version 4 for requests to S3: what its documentation says, for requests without a query."""

import datetime
import hashlib
import hmac
from urllib.parse import urlsplit

Keys = tuple[str, str]


def signed_s3(
    method: str, url: str, body: bytes, headers: dict[str, str], keys: Keys, region: str, *, now: datetime.datetime | None = None
) -> dict[str, str]:
    """The headers with those that sign the request. The URL's path must be quoted already."""
    at = (now or datetime.datetime.now(datetime.UTC)).strftime("%Y%m%dT%H%M%SZ")
    place = urlsplit(url)
    digest = hashlib.sha256(body).hexdigest()
    whole = headers | {"Host": place.netloc, "X-Amz-Date": at, "X-Amz-Content-Sha256": digest}
    lowered = sorted((name.lower(), value.strip()) for name, value in whole.items())
    names = ";".join(name for name, _ in lowered)
    request = "\n".join([method, place.path or "/", "", *(f"{name}:{value}" for name, value in lowered), "", names, digest])
    scope = f"{at[:8]}/{region}/s3/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", at, scope, hashlib.sha256(request.encode()).hexdigest()])
    signature = hmac.new(_key(keys[1], at[:8], region), text.encode(), hashlib.sha256).hexdigest()
    authorization = f"AWS4-HMAC-SHA256 Credential={keys[0]}/{scope}, SignedHeaders={names}, Signature={signature}"
    return whole | {"Authorization": authorization}


def _key(secret: str, day: str, region: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for step in (day, region, "s3", "aws4_request"):
        key = hmac.new(key, step.encode(), hashlib.sha256).digest()
    return key
