"""From a batch of uplinks to findings: who said it, what do the bytes mean, is it valid.

Nothing is written here but names: children that a product registers by itself, and property names that its thing
model lacks, both in the batch's transaction.
"""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any

from devices import topics
from devices.codecs.json import load, split, split_value
from devices.codecs import CODECS
from devices.directory import DeviceEntry, Directory, ProductEntry
from devices.exceptions import Invalid
from devices.messages import AttributeReport, Decoded, EventReport, Frame, Presence, Report, Sample, Uplink
from devices.timestamps import parse_ts

from .findings import HEARTBEATS, WHOLE, Findings, Origin
from .server_time import SERVER_TIMES

MAX_ROUTES = 200_000
_ROUTES: dict[str, topics.Route] = {}


def translate(batch: Sequence[Uplink], directory: Directory) -> Findings:
    """Everything that the batch says. Raises Unavailable or a database error, never Invalid."""
    return Translation(batch, directory).run()


class Translation:
    """One batch on its way from bytes to findings."""

    def __init__(self, batch: Sequence[Uplink], directory: Directory) -> None:
        self.batch = batch
        self.directory = directory
        self.findings = Findings()
        self.decoded: dict[tuple[int, str], Decoded | Invalid] = {}
        self._frames: dict[str, list[tuple[tuple[int, str], Frame]]] = {}
        self._later: list[tuple[Callable[..., None], tuple[Any, ...]]] = []

    def run(self) -> Findings:
        routed = [(place, uplink, *self._route(uplink)) for place, uplink in enumerate(self.batch)]
        self.directory.load({route.key for _, _, route, _ in routed if route})
        for place, uplink, route, error in routed:
            if route is None:
                self.findings.bury(Origin(place, uplink, None, ""), error or Invalid("unknown_topic"))
            else:
                self._one(place, uplink, route)
        self._decode_frames()
        for judge, arguments in self._later:
            judge(*arguments)
        return self.findings

    # --- Who ---------------------------------------------------------------------------------------------------

    def _route(self, uplink: Uplink) -> tuple[topics.Route | None, Invalid | None]:
        """Where a topic leads; native ones are remembered."""
        topic = uplink.topic
        if route := _ROUTES.get(topic):
            return route, None
        try:
            if not topic.startswith("devices/"):
                return self._mapped(topic), None
            route = topics.parse(topic)
        except Invalid as error:
            return None, error
        if len(_ROUTES) >= MAX_ROUTES:
            _ROUTES.clear()
        _ROUTES[topic] = route
        return route, None

    def _mapped(self, topic: str) -> topics.Route:
        """The route of a topic that a product maps for itself; only its own devices may use it."""
        for pattern in self.directory.patterns():
            key = pattern.key_in(topic)
            device = self.directory.device(key) if key else None
            if key and device and pattern in device.product.patterns:
                return topics.parse_kind(key, pattern.rest)
        raise Invalid("unknown_topic", "no product of this device maps this topic")

    def _one(self, place: int, uplink: Uplink, route: topics.Route) -> None:
        device = self.directory.device(route.key)
        origin = Origin(place, uplink, device, route.key)
        if device is None:
            self.findings.bury(origin, Invalid("unknown_device", f"no device is called “{route.key}”"))
        elif not device.enabled:
            self.findings.heard.append((place, device.id))
            self.findings.reject(origin, "device_disabled")
        else:
            self._seen(device, origin, route)
            self._later.append((self._gateway if route.gateway else self._say, (origin, route, uplink.payload)))
            if route.kind == "raw" and not route.gateway:
                self._frame(origin, route, uplink.payload)
            elif route.gateway and route.kind == "raw":
                self._child_frames(origin, route)

    def _seen(self, device: DeviceEntry, origin: Origin, route: topics.Route) -> None:
        """Any uplink means that its device is there; a replay does not, and a status says it itself."""
        uplink = origin.uplink
        self.findings.heard.append((origin.place, device.id))
        if uplink.source != "replay" and (route.kind != "status" or route.gateway):
            self.findings.presences.append((device, Presence(device.id, True, uplink.received_at, "uplink")))

    # --- Frames for scripts: all of a script's in one call ------------------------------------------------------

    def _frame(self, origin: Origin, route: topics.Route, payload: bytes) -> None:
        device = origin.device
        if device is None or device.product.codec != "lua":
            return
        frame = Frame(payload, origin.uplink.topic, device.key, device.product.key, route.port, origin.uplink.received_at)
        self._frames.setdefault(device.product.script, []).append(((origin.place, origin.child), frame))

    def _child_frames(self, origin: Origin, route: topics.Route) -> None:
        """A gateway's raw message holds a frame per child, in base64."""
        try:
            data, _ = load(origin.uplink.payload)
        except Invalid:
            return
        for key, value in data.items() if isinstance(data, dict) else ():
            child = self._child(origin, key)
            if isinstance(child, DeviceEntry) and (payload := _from_base64(value)) is not None:
                self._frame(origin._replace(device=child, child=key), route, payload)

    def _decode_frames(self) -> None:
        for script, frames in self._frames.items():
            results = CODECS["lua"](script, [frame for _, frame in frames])
            self.decoded.update(zip((slot for slot, _ in frames), results, strict=True))

    # --- What --------------------------------------------------------------------------------------------------

    def _say(self, origin: Origin, route: topics.Route, payload: Any) -> None:
        """Judge what one device says. `payload` is bytes, or a child's decoded value inside a gateway's message."""
        try:
            match route.kind:
                case "telemetry":
                    self._samples(origin, payload, self._report)
                case "attributes":
                    self._samples(origin, payload, self._attributes)
                case "event":
                    self._events(origin, route.name, payload)
                case "raw":
                    self._raw(origin, payload)
                case "status":
                    self._status(origin, payload)
                case "reply":
                    raise Invalid("unexpected_reply", "no command with this id is waiting for a reply")
                case _:
                    raise Invalid("unknown_topic", f"“{route.kind}” is not taken yet")
        except Invalid as error:
            self.findings.bury(origin, error)

    def _gateway(self, origin: Origin, route: topics.Route, payload: bytes) -> None:
        """What a gateway says for its children, each judged on its own."""
        try:
            children, inspect = load(payload)
            if not isinstance(children, dict):
                raise Invalid("bad_shape", "a gateway's message is an object by child key")
        except Invalid as error:
            return self.findings.bury(origin, error)
        if not children:
            self.findings.count(origin, HEARTBEATS)
        for key, value in children.items():
            piece = origin._replace(piece=value, child=key, key=key)
            child = self._child(origin, key)
            if isinstance(child, Invalid):
                self.findings.bury(piece, child)
            elif not child.enabled:
                self.findings.reject(piece._replace(device=child), "device_disabled")
            else:
                self._seen(child, origin, route._replace(gateway=False))
                self._say(piece._replace(device=child), route, value)
        return None

    def _child(self, origin: Origin, key: str) -> DeviceEntry | Invalid:
        """The child that a gateway names, made where its product allows."""
        gateway = origin.device
        assert gateway is not None  # noqa: S101 - only known gateways get here
        child = self.directory.device(key) if topics.is_device_key(key) else None
        if child is None and gateway.product.registers_children:
            try:
                return self.directory.register(gateway, key)
            except Invalid as error:
                return error
        if child is None or child.tenant_id != gateway.tenant_id:
            return Invalid("unknown_child", f"“{key[:100]}” is no child of “{gateway.key}”")
        if not self.directory.is_below(child, gateway):
            return Invalid("wrong_device", f"“{key}” is not below “{gateway.key}”")
        return child

    # --- Values ------------------------------------------------------------------------------------------------

    def _samples(self, origin: Origin, payload: Any, judge: Callable[[Origin, Sample], None]) -> None:
        """Each sample of a JSON payload: an object is one, a list holds several."""
        data: Any = payload
        if isinstance(payload, bytes):
            outcomes = split(payload)
            if len(outcomes) == 1 and not payload.lstrip().startswith(b"["):
                return self._outcome(origin, outcomes[0], judge)
            data = load(payload)[0] if outcomes else []
        entries = data if isinstance(data, list) else [data]
        if not entries or entries == [{}]:
            return self.findings.count(origin, HEARTBEATS)
        for entry in entries:
            piece = origin if entry is data and origin.piece is not WHOLE else origin._replace(piece=entry)
            for outcome in split_value([entry], inspect=True) if isinstance(entry, dict) else [Invalid("bad_shape", "not an object")]:
                self._outcome(piece, outcome, judge)
        return None

    def _outcome(self, origin: Origin, outcome: Sample | Invalid, judge: Callable[[Origin, Sample], None]) -> None:
        if isinstance(outcome, Invalid):
            return self.findings.bury(origin, outcome)
        at: int | None = None
        try:
            values = outcome.values
            if None in values.values():
                values = {key: value for key, value in values.items() if value is not None}
                outcome = Sample(outcome.ts, values)
            if not values:
                return self.findings.count(origin, HEARTBEATS)
            at = self._at(origin, outcome.ts)
            judge(origin, Sample(at, values))
        except Invalid as error:
            self.findings.bury(origin, error, at if outcome.ts is None else None)
        return None

    def _at(self, origin: Origin, ts: Any) -> int:
        """The instant of a report in µs: the device's, or the server's where it has none."""
        uplink, device = origin.uplink, origin.device
        assert device is not None  # noqa: S101
        if ts is None:
            return uplink.received_at if uplink.source == "replay" else SERVER_TIMES.distinct(device.id, uplink.received_at)
        at = parse_ts(ts, uplink.received_at)
        if origin.piece is WHOLE and uplink.source == "mqtt":
            self.findings.offsets[device.id] = at - uplink.received_at
        return at

    def _report(self, origin: Origin, sample: Sample) -> None:
        device = origin.device
        assert device is not None  # noqa: S101
        unknown = device.product.model.check_values(sample.values)
        if unknown:
            self._unknown(device.product, "property", unknown)
        self.findings.reports.add(Report(device.id, sample.ts, sample.values, origin.uplink.received_at), origin)

    def _attributes(self, origin: Origin, sample: Sample) -> None:
        device = origin.device
        assert device is not None  # noqa: S101
        unknown = device.product.model.check_attributes(sample.values)
        if unknown:
            self._unknown(device.product, "attribute", unknown)
        self.findings.attributes.add(AttributeReport(device.id, sample.ts, sample.values, origin.uplink.received_at), origin)

    def _unknown(self, product: ProductEntry, kind: str, names: list[str]) -> None:
        if not product.accepts_unknown:
            raise Invalid("unknown_property", f"the thing model has no {kind} “{names[0][:100]}”")
        if not self.directory.discover(product, kind, names):
            raise Invalid("too_many_properties", "the product has too many properties that its thing model does not know")

    def _raw(self, origin: Origin, payload: Any) -> None:
        """A frame: by the product's script, or as JSON where it has none."""
        device = origin.device
        assert device is not None  # noqa: S101
        if origin.child and _from_base64(payload) is None:
            raise Invalid("bad_shape", "a child's frame is text in base64")
        outcomes: Sequence[Sample | Invalid]
        if device.product.codec == "lua":
            result = self.decoded[origin.place, origin.child]
            if isinstance(result, Invalid):
                raise result
            outcomes = result.samples
        else:
            outcomes = split((_from_base64(payload) or b"") if origin.child else payload)
        if not outcomes:
            return self.findings.count(origin, HEARTBEATS)
        for index, outcome in enumerate(outcomes):
            if origin.uplink.only in (None, index):
                self._outcome(origin._replace(index=index), outcome, self._report)
        return None

    def _events(self, origin: Origin, name: str, payload: Any) -> None:
        device = origin.device
        assert device is not None  # noqa: S101
        data = load(payload)[0] if isinstance(payload, bytes) else payload
        entries = data if isinstance(data, list) else [data]
        if not entries:
            return self.findings.count(origin, HEARTBEATS)
        for entry in entries:
            piece = origin._replace(piece=entry) if entry is not data else origin
            try:
                self._event(piece, name, entry)
            except Invalid as error:
                self.findings.bury(piece, error)
        return None

    def _event(self, origin: Origin, name: str, entry: Any) -> None:
        device = origin.device
        assert device is not None  # noqa: S101
        if not isinstance(entry, dict) or set(entry) - {"ts", "params"}:
            raise Invalid("bad_shape", "an event is an object with “params” and at most “ts”")
        for outcome in split_value([{"values": {"params": entry.get("params") or {}}}], inspect=True):
            if isinstance(outcome, Invalid):
                raise outcome
        params = entry.get("params") if entry.get("params") is not None else {}
        known = device.product.model.check_event(name, params)
        if not known and not device.product.accepts_unknown:
            raise Invalid("unknown_event", f"the thing model has no event “{name}”")
        at = self._at(origin, entry.get("ts"))
        self.findings.events.add(EventReport(device.id, at, name, params, origin.uplink.received_at), origin)

    def _status(self, origin: Origin, payload: Any) -> None:
        device, uplink = origin.device, origin.uplink
        assert device is not None  # noqa: S101
        word = payload.decode("utf-8", "replace") if isinstance(payload, bytes) else payload
        word = word.strip().strip('"').lower() if isinstance(word, str) else ""
        if word not in ("online", "offline"):
            raise Invalid("bad_shape", "a status is “online” or “offline”")
        self.findings.kinds["status"] += 1
        if uplink.source != "replay":
            cause = "broker" if uplink.source == "broker" else "status"
            self.findings.presences.append((device, Presence(device.id, word == "online", uplink.received_at, cause)))


def _from_base64(value: Any) -> bytes | None:
    try:
        return base64.b64decode(value, validate=True) if isinstance(value, str) else None
    except (binascii.Error, ValueError):
        return None
