"""From a batch of uplinks to findings: who said it, what do the bytes mean, is it valid.

Nothing is written here but names: children that a product registers by itself, and property names that its thing
model lacks, both in the batch's transaction.
"""

import base64
import binascii
from collections.abc import Sequence
from typing import Any

from devices import topics
from devices.codecs import CODECS
from devices.codecs.json import load, split
from devices.directory import DeviceEntry, Directory
from devices.exceptions import Invalid
from devices.messages import Decoded, Frame, Sample, Uplink
from iotpanel import metrics

from . import answers, plain
from .children import child_of
from .findings import HEARTBEATS, WHOLE, Findings, Origin
from .judge import Judge
from .limiter import LIMITER, UNLIMITED
from .routes import ROUTES, route

ARCHIVED = frozenset({"telemetry", "attributes", "event", "raw"})
_new = tuple.__new__  # a named tuple's own constructor takes twice as long
Admitted = tuple[Origin, DeviceEntry, topics.Route]
Slot = tuple[int, str]  # an uplink's place in the batch, and the child whose frame it is


def translate(batch: Sequence[Uplink], directory: Directory) -> Findings:
    """Everything that the batch says. Raises Unavailable or a database error, never Invalid."""
    return _Translation(directory).run(batch)


class _Translation:
    """One batch: route everything, decode the frames of each script in one call, then judge in order of arrival."""

    def __init__(self, directory: Directory) -> None:
        self.directory = directory
        self.findings = Findings()
        self.judge = Judge(self.findings, directory)
        self.frames: dict[tuple[str, str], list[tuple[Slot, Frame]]] = {}
        self.decoded: dict[Slot, Decoded | Invalid] = {}

    def run(self, batch: Sequence[Uplink]) -> Findings:
        routed = [ROUTES.get(uplink.topic) or self._route(uplink) for uplink in batch]
        self.directory.load({found.key for found in routed if type(found) is topics.Route})
        admitted = [each for place, uplink in enumerate(batch) if (each := self._admit(place, uplink, routed[place]))]
        for origin, device, found in admitted:
            if found.kind == "raw":
                self._gather(origin, device, found)
        for (codec, script), frames in self.frames.items():
            with metrics.CODEC_SECONDS.labels(codec).time():
                decoded = CODECS[codec](script, [frame for _, frame in frames])
            metrics.CODEC_FRAMES.labels(codec).inc(len(frames))
            self.decoded.update(zip((slot for slot, _ in frames), decoded, strict=True))
        for origin, device, found in admitted:
            if found.gateway:
                self._say_for_children(origin, device, found)
            elif found.kind != "telemetry" or not plain.take(self.findings, origin, device, origin.uplink):
                self._say(origin, device, found, origin.uplink.payload)
        return self.findings

    def _route(self, uplink: Uplink) -> topics.Route | Invalid:
        try:
            return route(uplink.topic, self.directory)
        except Invalid as error:
            return error

    def _admit(self, place: int, uplink: Uplink, found: topics.Route | Invalid) -> Admitted | None:
        """The device that an uplink comes from, if it is one that may speak: nearly always at first sight."""
        if isinstance(found, Invalid):
            return self._admit_slowly(place, uplink, found)
        device = self.directory.known.get(found.key)
        if device is None or not device.enabled or device.limits is not None or device.product.archives or found.kind == "status":
            return self._admit_slowly(place, uplink, found)
        self.findings.heard.append((place, device.id))
        if uplink.source != "replay":
            self.findings.present[device.id] = device, uplink.received_at
        return _new(Origin, (place, uplink, device, found.key, WHOLE, "", None, None)), device, found

    def _admit_slowly(self, place: int, uplink: Uplink, found: topics.Route | Invalid) -> Admitted | None:
        """The same with all its reasons to refuse."""
        key = topics.speaker(uplink.topic) if isinstance(found, Invalid) else found.key
        device = self.directory.device(key) if key else None
        origin = Origin(place, uplink, device, key)
        if device is None:
            unknown = Invalid("unknown_device", f"no device is called “{key}”")
            self.findings.bury(origin, found if isinstance(found, Invalid) else unknown)
            return None
        if not device.enabled:
            self._refuse_disabled(origin, device)
            return None
        if device.limits is not None and not self._admits(origin, device, found):
            return None
        if isinstance(found, Invalid):
            self._seen(origin, device, True)
            self.findings.bury(origin, found)
            return None
        self._seen(origin, device, found.kind != "status" or found.gateway)
        if device.product.archives:
            self._archive(origin, device, found)
        return origin, device, found

    def _admits(self, origin: Origin, device: DeviceEntry, found: topics.Route | Invalid) -> bool:
        """Whether its limits let a message pass; one that is refused is still a sign of life. Word of presence costs nothing."""
        kind = found.kind if isinstance(found, topics.Route) else ""
        uplink = origin.uplink
        if kind == "status" or uplink.source in UNLIMITED or LIMITER.admits(device, uplink.received_at, kind, self.findings.drawn):
            return True
        self._seen(origin, device, True)
        self.findings.reject(origin, "rate_limited")
        return False

    def _archive(self, origin: Origin, device: DeviceEntry, found: topics.Route) -> None:
        """Note a message for the archive, but for what makes no sense a second time."""
        if found.kind in ARCHIVED and origin.uplink.source != "replay":
            self.findings.archived.append((origin, device.id))

    def _refuse_disabled(self, origin: Origin, device: DeviceEntry) -> None:
        self.findings.heard.append((origin.place, device.id))
        self.findings.reject(origin, "device_disabled")

    def _seen(self, origin: Origin, device: DeviceEntry, is_there: bool) -> None:
        """Any uplink means that its device is there; a status says so itself, and a replay is old news."""
        self.findings.heard.append((origin.place, device.id))
        if is_there and origin.uplink.source != "replay":
            self.findings.present[device.id] = device, origin.uplink.received_at

    # --- Frames for scripts ------------------------------------------------------------------------------------

    def _gather(self, origin: Origin, device: DeviceEntry, found: topics.Route) -> None:
        """Note the frames of a message that a script has to decode; a gateway's holds one per child, in base64."""
        if not found.gateway:
            return self._frame(origin, device, found.port, origin.uplink.payload)
        try:
            children = load(origin.uplink.payload)[0]
        except Invalid:
            return None  # the judge will say so
        for key, text in children.items() if isinstance(children, dict) else ():
            try:
                child = child_of(device, key, self.directory)
            except Invalid:
                continue
            if (payload := _from_base64(text)) is not None:
                self._frame(origin._replace(child=key), child, None, payload)
        return None

    def _frame(self, origin: Origin, device: DeviceEntry, port: int | None, payload: bytes) -> None:
        product = device.product
        if product.codec != "json":
            frame = Frame(payload, origin.uplink.topic, device.key, product.key, port, origin.uplink.received_at)
            self.frames.setdefault((product.codec, product.script), []).append(((origin.place, origin.child), frame))

    # --- What is said ------------------------------------------------------------------------------------------

    def _say(self, origin: Origin, device: DeviceEntry, found: topics.Route, payload: Any) -> None:
        """What one device says. `payload` is bytes, or a child's decoded value inside a gateway's message."""
        try:
            match found.kind:
                case "telemetry":
                    self.judge.samples(origin, device, payload, self.judge.report)
                case "attributes":
                    self.judge.samples(origin, device, payload, self.judge.attributes)
                case "event":
                    self.judge.events(origin, device, found.name, payload)
                case "raw":
                    self._say_frame(origin, device, payload)
                case "status":
                    self.judge.status(origin, device, payload)
                case "reply":
                    answers.reply(self.findings, origin, device, found.name, payload)
                case "shadow":
                    answers.shadow(self.findings, origin, device, payload)
                case "ota" | "chunk" | "credentials":
                    answers.word(self.findings, origin, device, found.kind, payload)
                case _:
                    raise Invalid("unknown_topic", f"“{found.kind}” is not taken yet")
        except Invalid as error:
            self.findings.bury(origin, error)

    def _say_frame(self, origin: Origin, device: DeviceEntry, payload: Any) -> None:
        """A frame: by the product's script, or as JSON where it has none. Raises Invalid."""
        data = payload if isinstance(payload, bytes) else _from_base64(payload)
        if data is None:
            raise Invalid("bad_shape", "a child's frame is text in base64")
        outcomes: Sequence[Sample | Invalid]
        if device.product.codec == "json":
            outcomes = split(data)
        else:
            decoded = self.decoded[origin.place, origin.child]
            if isinstance(decoded, Invalid):
                raise decoded
            outcomes = decoded.samples
            if len(outcomes) == 1 and plain.take_sample(self.findings, _first(origin), device, outcomes[0]):
                return
        if not outcomes:
            self.findings.count(origin, HEARTBEATS)
        for position, outcome in enumerate(outcomes):
            if origin.uplink.only in (None, position):
                self.judge.outcome(origin._replace(position=position), device, outcome, self.judge.report)

    def _say_for_children(self, origin: Origin, gateway: DeviceEntry, found: topics.Route) -> None:
        """What a gateway says for its children, each judged on its own."""
        try:
            children = load(origin.uplink.payload)[0]
            if not isinstance(children, dict):
                raise Invalid("bad_shape", "a gateway's message is an object by child key")
        except Invalid as error:
            return self.findings.bury(origin, error)
        if not children:
            self.findings.count(origin, HEARTBEATS)
        for key, value in children.items():
            piece = origin._replace(piece=value, child=key, key=key)
            try:
                child = child_of(gateway, key, self.directory)
            except Invalid as error:
                self.findings.bury(piece, error)
                continue
            if not child.enabled:
                self._refuse_disabled(piece._replace(device=child), child)
                continue
            if child.limits is not None and not self._admits(piece._replace(device=child), child, found):
                continue
            self._seen(piece, child, found.kind != "status")
            if child.product.archives:
                self._archive(piece._replace(device=child), child, found)
            self._say(piece._replace(device=child), child, found, value)
        return None


def _first(origin: Origin) -> Origin:
    """The origin of a frame's first report."""
    place, uplink, device, key, piece, child, _, entry = origin
    return _new(Origin, (place, uplink, device, key, piece, child, 0, entry))


def _from_base64(value: Any) -> bytes | None:
    try:
        return base64.b64decode(value, validate=True) if isinstance(value, str) else None
    except (binascii.Error, ValueError):
        return None
