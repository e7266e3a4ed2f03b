"""What a device's word makes of an errand. Pure."""

from dataclasses import dataclass

from devices.exceptions import Invalid
from devices.messages import Progress

SECRET = "devices.errand"  # noqa: S105 - what the encryption of new secrets is for, and no secret
ACTIVE = ("downloading", "verifying", "installing")


@dataclass
class Open:
    """An errand that has not ended, as this batch's words change it. `changed_at` is in µs, 0: not at all."""

    id: int
    device_id: int
    kind: str
    state: str
    progress: int
    wanted: bool
    sealed: str
    version: str | None
    firmware_id: int | None
    size: int | None
    key: str = ""
    reason: str = ""
    error: str = ""
    changed_at: int = 0
    switches: bool = False

    @property
    def final(self) -> bool:
        return self.state in ("succeeded", "failed")

    def become(self, state: str, word: Progress, *, progress: int | None = None, reason: str = "", wanted: bool = False) -> None:
        self.state, self.changed_at, self.reason, self.error = state, word.received_at, reason, word.error
        self.progress = self.progress if progress is None else progress
        self.wanted = wanted


def judge(errand: Open, word: Progress) -> None:
    """Raises Invalid: unexpected_reply, out_of_range."""
    {"ota": _ota, "chunk": _chunk, "credentials": _secret}[word.kind](errand, word)


def _ota(errand: Open, word: Progress) -> None:
    if word.state == "ask":
        return errand.become("sent" if errand.state == "queued" else errand.state, word, wanted=True)
    if word.state == "idle":
        return _idle(errand, word)
    if word.version != errand.version and word.state != "succeeded":
        raise Invalid("unexpected_reply", f"version “{word.version}” is not the one that the device was offered")
    if word.state == "failed":
        return errand.become("failed", word, reason="device_error")
    if word.state in ACTIVE:
        return errand.become(word.state, word, progress=word.number)
    if word.version != errand.version:  # it says that all is well, with another version
        return errand.become("failed", word._replace(error=word.version), reason="wrong_version")
    return errand.become("succeeded", word, progress=100)


def _idle(errand: Open, word: Progress) -> None:
    """What runs after a start: the new version is the proof; the old one means that nothing came of it, or that it begins anew."""
    if word.version == errand.version:
        return errand.become("succeeded", word, progress=100)
    if errand.state in ("verifying", "installing"):
        return errand.become("failed", word._replace(error=word.version), reason="not_installed")
    return errand.become("sent" if errand.state == "queued" else errand.state, word, wanted=True)


def _chunk(errand: Open, word: Progress) -> None:
    """A wish for a piece says how far the device is."""
    if word.version != errand.version or not errand.size:
        raise Invalid("unexpected_reply", f"version “{word.version}” is not the one that the device was offered")
    if word.number >= errand.size:
        raise Invalid("out_of_range", f"the image has {errand.size} bytes")
    errand.become("downloading", word, progress=100 * word.number // errand.size, wanted=errand.wanted)


def _secret(errand: Open, word: Progress) -> None:
    if word.number != errand.id:
        return  # about an earlier one
    if word.state == "error":
        errand.become("failed", word, reason="device_error")
        errand.sealed = ""
    elif word.state == "stored" and errand.state != "installing":
        errand.become("installing", word, progress=50)
        errand.switches = True
    elif word.state == "ok" and errand.state == "installing" and not errand.switches:
        errand.become("succeeded", word, progress=100)
