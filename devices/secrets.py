"""Device secrets: made by us with plenty of entropy, kept as the broker's own hash line."""

import base64
import hashlib
import hmac
import secrets
import string

ALPHABET = string.ascii_letters + string.digits  # no sign that a shell, an address or a config file would take amiss
LENGTH = 32  # 190 bits
ITERATIONS = 10  # stretching is for secrets that people choose; 10,000 devices that reconnect at once have to be checked
SALT_BYTES = 12  # what Mosquitto's own tool writes
DUMMY = "$7$10$AAAAAAAAAAAAAAAA$" + base64.b64encode(bytes(64)).decode()


def make_secret() -> str:
    """A new device secret of 32 letters and digits."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def broker_hash(secret: str) -> str:
    """Mosquitto's line for a secret: `$7$<iterations>$<salt>$<PBKDF2-HMAC-SHA512>`."""
    salt = secrets.token_bytes(SALT_BYTES)
    return f"$7${ITERATIONS}${base64.b64encode(salt).decode()}${base64.b64encode(_derive(secret, salt, ITERATIONS)).decode()}"


def matches(secret: str, hashed: str) -> bool:
    """Whether the secret gives this hash line, in constant time; False where the line is of another kind."""
    try:
        kind, iterations, salt, digest = hashed.split("$")[1:]
        expected, actual = base64.b64decode(digest), _derive(secret, base64.b64decode(salt), int(iterations))
    except ValueError:
        return False
    return kind == "7" and hmac.compare_digest(expected, actual)


def _derive(secret: str, salt: bytes, iterations: int) -> bytes:
    return hashlib.pbkdf2_hmac("sha512", secret.encode(errors="surrogatepass"), salt, iterations)
