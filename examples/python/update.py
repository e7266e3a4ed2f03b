"""Updates over the air: fetch an image by HTTP or piece by piece over MQTT, go on after a power failure, check, install.

What was fetched lies in `image.part`; beside it stands which image it is the beginning of, so that after a kill the rest is
asked for and not all of it. Nothing is installed whose SHA-256 differs, or, where a public key is set, whose signature does.
"""

import base64
import hashlib
import json
import queue
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
except ImportError:  # needed only where a public key is set
    Ed25519PublicKey = None  # type: ignore[assignment,misc]

READ = 16_384  # bytes read at once by HTTP
PIECE = 4_096  # bytes asked for at once over MQTT
PATIENCE = 5.0  # seconds until a piece is asked for again
TRIES = 10  # in a row that bring nothing
PAUSE = 1.0  # seconds before a new address is asked for
BUSY = (408, 429, 500, 502, 503, 504)  # answers after which it is worth while to ask again
Say = Callable[[str, Any], Any]


class Bad(Exception):
    """An update that must not be installed; its text goes to the platform."""


class Again(Exception):
    """Nothing is wrong with the update, but its address has expired: the platform is asked for a new one."""


class Updater:
    """One update at a time, in a thread of its own. `say(kind, payload)` publishes below `up/`."""

    def __init__(self, folder: Path, say: Say, *, public_key: str = "", over_mqtt: bool = False, rate: float = 0) -> None:
        self.folder, self.say = folder, say
        self.public_key, self.over_mqtt, self.rate = public_key, over_mqtt, rate
        self.pieces: queue.Queue[tuple[str, int, bytes]] = queue.Queue()
        self._busy = threading.Lock()
        self._wanted = ""
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def version(self) -> str:
        path = self.folder / "version"
        return path.read_text() if path.exists() else "1.0.0"

    def announce(self) -> None:
        """After each start and connection: the platform learns what came of an update, and offers one that is open again."""
        if not self._busy.locked():
            self.say("ota", {"version": self.version})

    def offered(self, offer: dict[str, Any]) -> None:
        """Begin, unless we are at it already: an offer may come twice."""
        if self._busy.locked() and self._wanted == offer["sha256"]:
            return
        threading.Thread(target=self._run, args=(offer,), daemon=True).start()

    def piece(self, levels: list[str], data: bytes) -> None:
        """down/ota/chunk/{beginning of the SHA-256}/{offset}"""
        self.pieces.put((levels[0], int(levels[1]), data))

    def _run(self, offer: dict[str, Any]) -> None:
        with self._busy:
            self._wanted, version = offer["sha256"], offer["version"]
            if version == self.version:
                self.say("ota", {"version": version, "state": "succeeded"})
                return
            try:
                part = self._fetch(offer)
                self.say("ota", {"version": version, "state": "verifying"})
                self._verify(part, offer)
                self.say("ota", {"version": version, "state": "installing"})
                self._install(part, version)
                self.say("ota", {"version": version, "state": "succeeded"})
                print(f"installed {version}", flush=True)
            except Again:
                print(f"the address of {version} has expired", flush=True)
                self._wanted = ""  # so that the offer which comes next is taken
                time.sleep(PAUSE)
                self.say("ota", {})
            except (Bad, OSError) as error:
                print(f"refused {version}: {error}", flush=True)
                self.say("ota", {"version": version, "state": "failed", "error": str(error)[:500]})

    # --- Fetching ----------------------------------------------------------------------------------------------

    def _fetch(self, offer: dict[str, Any]) -> Path:
        part, about = self.folder / "image.part", self.folder / "image.json"
        if not part.exists() or not about.exists() or json.loads(about.read_text()) != offer["sha256"]:
            part.write_bytes(b"")  # the beginning of another image is worth nothing
            about.write_text(json.dumps(offer["sha256"]))
        tries = 0
        while (begin := part.stat().st_size) < offer["size"]:
            print(f"fetching {offer['version']} from byte {begin}", flush=True)
            try:
                with part.open("ab") as file:
                    (self._over_mqtt if self.over_mqtt else self._over_http)(offer, file, begin)
            except OSError as error:  # the link broke: the rest is asked for
                print(f"interrupted: {error}", flush=True)
                time.sleep(min(2**tries, 30))
            tries = 0 if part.stat().st_size > begin else tries + 1
            if tries == TRIES:
                raise Bad("the image could not be fetched")
        return part

    def _over_http(self, offer: dict[str, Any], file: Any, begin: int) -> None:
        """`If-Range` makes sure that the rest belongs to what we have."""
        if not offer["url"].startswith(("http://", "https://")):
            raise Bad("this is no address of an image")
        headers = {"Range": f"bytes={begin}-", "If-Range": f'"{offer["sha256"]}"'} if begin else {}
        request = urllib.request.Request(offer["url"], headers=headers)  # noqa: S310 - checked above
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - checked above
                if begin and answer.status != 206:  # all of it, from the beginning
                    file.truncate(0)
                    begin = 0
                while data := answer.read(READ):
                    file.write(data)
                    file.flush()
                    begin += len(data)
                    self._progress(offer, begin)
        except urllib.error.HTTPError as error:
            if error.code == 403:
                raise Again from error
            if error.code in BUSY:  # many fetch at once: an interruption, and no fault of the image
                raise OSError(f"HTTP {error.code}") from error
            raise Bad(f"the image cannot be had: HTTP {error.code}") from error

    def _over_mqtt(self, offer: dict[str, Any], file: Any, begin: int) -> None:
        while begin < offer["size"]:
            data = self._piece(offer, begin)
            file.write(data)
            file.flush()
            begin += len(data)
            self._progress(offer, begin, tell=False)  # what we ask for says how far we are

    def _piece(self, offer: dict[str, Any], offset: int) -> bytes:
        for _ in range(TRIES):
            self.say("ota/chunk", {"version": offer["version"], "offset": offset, "length": PIECE})
            until = time.monotonic() + PATIENCE
            while (left := until - time.monotonic()) > 0:
                try:
                    digest, found, data = self.pieces.get(timeout=left)
                except queue.Empty:
                    break
                if data and found == offset and offer["sha256"].startswith(digest):
                    return data
        raise Bad("no piece came")

    def _progress(self, offer: dict[str, Any], done: int, tell: bool = True) -> None:
        percent = 100 * done // offer["size"]
        if tell and percent // 10 != 100 * (done - READ) // offer["size"] // 10:
            self.say("ota", {"version": offer["version"], "state": "downloading", "progress": min(percent, 100)})
        if self.rate:
            time.sleep((PIECE if self.over_mqtt else READ) / self.rate)

    # --- Checking and installing -------------------------------------------------------------------------------

    def _verify(self, part: Path, offer: dict[str, Any]) -> None:
        digest = hashlib.sha256()
        with part.open("rb") as file:
            while data := file.read(READ):
                digest.update(data)
        if part.stat().st_size != offer["size"] or digest.hexdigest() != offer["sha256"]:
            part.unlink()  # begin anew the next time
            raise Bad("the SHA-256 differs")
        if self.public_key:
            self._verify_signature(digest.digest(), offer.get("signature", ""))

    def _verify_signature(self, digest: bytes, signature: str) -> None:
        if Ed25519PublicKey is None:
            raise Bad("a public key is set, and the package cryptography is missing")
        try:
            Ed25519PublicKey.from_public_bytes(base64.b64decode(self.public_key)).verify(base64.b64decode(signature), digest)
        except (InvalidSignature, ValueError) as error:
            raise Bad("the signature is wrong") from error

    def _install(self, part: Path, version: str) -> None:
        """A real device writes the other half of its flash, starts it, and says its version after the start."""
        part.replace(self.folder / "image")
        fresh = self.folder / "version.new"
        fresh.write_text(version)
        fresh.replace(self.folder / "version")
