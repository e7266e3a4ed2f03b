"""Who may do what at a broker that asks us by HTTP. The same rules as the embedded broker's files (broker_auth.py)."""

import hmac
from urllib.parse import unquote, urlsplit

from django.conf import settings

from devices.broker_auth import own_patterns
from devices.certificates import holder
from devices.provisioning import verify_secret
from devices.topics import is_device_key


def may_sign_in(username: str, password: str, client_id: str | None, certificate: str = "") -> bool:
    """Whether this is a device's secret or, where none is given, its certificate; or the platform's own secret.

    A device's client id is its key, so that none can take another's session. Raises DatabaseError where nobody can know.
    """
    if is_platform(username):
        return hmac.compare_digest(password.encode(), _platform()[1].encode())
    if client_id not in (None, "", username):
        return False
    if certificate and not password:
        return bool(username) and holder(certificate) == username
    return verify_secret(username, password) is not None


def is_platform(username: str) -> bool:
    """Whether this is the account of the uplink workers, which no device can have."""
    name = _platform()[0]
    return bool(name) and username == name and not is_device_key(name)


def may_publish(username: str, topic: str) -> bool:
    """Below its own name, and where a product maps a topic with its key. Raises DatabaseError where nobody can know."""
    if is_platform(username):
        return True
    if not is_device_key(username) or any(wildcard in topic for wildcard in "+#\0"):
        return False
    return topic.startswith(f"devices/{username}/up/") or any(pattern.key_in(topic) == username for pattern in own_patterns())


def may_subscribe(username: str, topic_filter: str) -> bool:
    """What is meant for it, wildcards behind its own name included."""
    if is_platform(username):
        return True
    if not is_device_key(username):
        return False
    native = topic_filter.startswith(f"devices/{username}/down/")
    return native or any(pattern.key_in(topic_filter) == username for pattern in own_patterns(down=True))


def _platform() -> tuple[str, str]:
    """Name and password of the uplink workers' account; empty where the broker's address holds none."""
    parts = urlsplit(settings.MQTT_URL)
    return unquote(parts.username or ""), unquote(parts.password or "")
