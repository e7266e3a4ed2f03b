"""What leaves for a push service, read by other implementations: RFC 8291's own example, http_ece, and PyJWT."""

import base64
import time
from datetime import timedelta
from email.utils import format_datetime
from typing import Any

import http_ece
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.utils import timezone
from pytest_django import Settings

from rules.push import vapid
from rules.push.agents import short_name
from rules.push.sealing import LONGEST, seal
from rules.push.sending import LONGEST_WAIT, wait_of

CURVE = ec.SECP256R1()
# RFC 8291, appendix A.
WATERMELON = b"When I grow up, I want to be a watermelon"
SENDER = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
RECEIVER = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
AUTH, SALT = "BTBZMqHH6r4Tts7J_aSIgg", "DGv6ra1nlYgDCS1FRnbzlw"
SEALED = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_"
    "yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)
ENDPOINT = "https://push.example.org:8443/send/abc"


def raw(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@pytest.fixture(autouse=True)
def key(settings: Settings) -> None:
    settings.VAPID_KEY = "a secret of this installation, made once"
    settings.VAPID_SUBJECT = "mailto:operator@example.org"


def test_the_example_of_the_standard() -> None:
    sender = ec.derive_private_key(int.from_bytes(raw(SENDER)), CURVE)
    assert seal(WATERMELON, raw(RECEIVER), raw(AUTH), key=sender, salt=raw(SALT)) == raw(SEALED)


@pytest.mark.parametrize("text", [b"{}", "温度过高".encode(), b"x" * LONGEST])
def test_a_browser_reads_it(text: bytes) -> None:
    browser = ec.generate_private_key(CURVE)
    point = browser.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    sealed = seal(text, point, raw(AUTH))

    assert len(sealed) <= 4096
    assert text not in sealed
    assert http_ece.decrypt(sealed, private_key=browser, auth_secret=raw(AUTH), version="aes128gcm") == text
    assert sealed != seal(text, point, raw(AUTH))


@pytest.mark.parametrize(("text", "point"), [(b"x" * (LONGEST + 1), raw(RECEIVER)), (b"x", b"\x04" + b"\x01" * 64), (b"x", b"")])
def test_what_cannot_be_sealed_is_refused(text: bytes, point: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        seal(text, point, raw(AUTH))


def test_a_push_service_knows_us_by_our_signature(settings: Settings) -> None:
    scheme, token, said_key = vapid.authorization(ENDPOINT).replace(",", "").split(" ")
    point = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, raw(said_key.removeprefix("k=")))
    claims: dict[str, Any] = jwt.decode(token.removeprefix("t="), point, algorithms=["ES256"], audience="https://push.example.org:8443")

    assert scheme == "vapid"
    assert said_key == f"k={vapid.public_key()}"
    assert claims["sub"] == "mailto:operator@example.org"
    assert 0 < claims["exp"] - time.time() <= 86_400


def test_the_key_is_of_this_installation(settings: Settings) -> None:
    mine = vapid.public_key()
    assert vapid.public_key() == mine
    settings.VAPID_KEY = "the secret of another installation, far away"
    assert vapid.public_key() != mine
    assert len(raw(mine)) == 65
    settings.VAPID_KEY = ""
    assert not vapid.is_set()


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("7", 7), ("0", 0), ("999999", LONGEST_WAIT), ("", 0), ("soon", 0), ("-5", 0), ("Fri, 01 Jan 1999 00:00:00 GMT", 0)],
)
def test_how_long_a_push_service_asks_to_be_left_alone(said: str, seconds: float) -> None:
    assert wait_of(said) == seconds


def test_it_may_ask_by_a_date() -> None:
    assert 3_000 < wait_of(format_datetime(timezone.now() + timedelta(seconds=3_100), usegmt=True)) <= 3_100


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0", "Firefox · Linux"),
        ("Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/129.0 Mobile Safari/537.36", "Chrome · Android"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/129.0 Safari/537.36 Edg/129.0", "Edge · Windows"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 (like Gecko) Version/18 Safari/604",
            "Safari · iPhone",
        ),
        ("<script>alert(1)</script>", ""),
    ],
)
def test_browsers_have_short_names(agent: str, name: str) -> None:
    assert short_name(agent) == name
