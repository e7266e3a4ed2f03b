"""Judges what devices say against their thing models, sample by sample, and notes the verdicts as findings."""

from collections.abc import Callable
from typing import Any

from devices.codecs.json import load, split, split_value
from devices.directory import DeviceEntry, Directory, ProductEntry
from devices.exceptions import Invalid
from devices.messages import AttributeReport, EventReport, Presence, Report, Sample
from devices.timestamps import parse_ts

from .findings import HEARTBEATS, WHOLE, Findings, Origin
from .server_time import SERVER_TIMES

Accept = Callable[[Origin, DeviceEntry, Sample], None]


class Judge:
    """Everything here ends in a finding: a report, an attribute report, an event, a heartbeat or a dead letter."""

    def __init__(self, findings: Findings, directory: Directory) -> None:
        self.findings = findings
        self.directory = directory
        self._replayed: dict[tuple[int, int], int] = {}

    def samples(self, origin: Origin, device: DeviceEntry, payload: Any, accept: Accept) -> None:
        """Each sample of a JSON payload: an object is one, a list holds several.

        `payload` is bytes, or a child's decoded value inside a gateway's message.
        """
        data = payload
        if isinstance(payload, bytes):
            outcomes = split(payload)
            if len(outcomes) == 1 and not payload.lstrip().startswith(b"["):
                return self.outcome(origin, device, outcomes[0], accept)
            data = load(payload)[0] if outcomes else []
        entries = data if isinstance(data, list) else [data]
        if not entries or entries == [{}]:
            return self.findings.count(origin, HEARTBEATS)
        for number, entry in enumerate(entries):
            place = None if entry is data else number
            piece = origin if entry is data and origin.piece is not WHOLE else origin._replace(piece=entry, entry=place)
            for outcome in split_value([entry], inspect=True):
                self.outcome(piece, device, outcome, accept)
        return None

    def outcome(self, origin: Origin, device: DeviceEntry, outcome: Sample | Invalid, accept: Accept) -> None:
        """One sample, or the reason why it is none."""
        if isinstance(outcome, Invalid):
            return self.findings.bury(origin, outcome)
        ts, values = outcome
        at: int | None = None
        try:
            if None in values.values():  # null says that there is no value
                values = {key: value for key, value in values.items() if value is not None}
            if not values:
                return self.findings.count(origin, HEARTBEATS)
            at = self._at(origin, device, ts)
            accept(origin, device, Sample(at, values))
        except Invalid as error:
            self.findings.bury(origin, error, at if ts is None else None)
        return None

    def report(self, origin: Origin, device: DeviceEntry, sample: Sample) -> None:
        """Readings. Raises Invalid."""
        if unknown := device.product.model.check_values(sample.values):
            self._unknown(device.product, "property", unknown)
        self.findings.reports.add(Report(device.id, sample.ts, sample.values, origin.uplink.received_at), origin)

    def attributes(self, origin: Origin, device: DeviceEntry, sample: Sample) -> None:
        """Attributes. Raises Invalid."""
        if unknown := device.product.model.check_attributes(sample.values):
            self._unknown(device.product, "attribute", unknown)
        self.findings.attributes.add(AttributeReport(device.id, sample.ts, sample.values, origin.uplink.received_at), origin)

    def events(self, origin: Origin, device: DeviceEntry, name: str, payload: Any) -> None:
        """One event, or a list of them. Raises Invalid where the payload as a whole is none."""
        data = load(payload)[0] if isinstance(payload, bytes) else payload
        entries = data if isinstance(data, list) else [data]
        if not entries:
            return self.findings.count(origin, HEARTBEATS)
        for number, entry in enumerate(entries):
            piece = origin if entry is data else origin._replace(piece=entry, entry=number)
            try:
                self._event(piece, device, name, entry)
            except Invalid as error:
                self.findings.bury(piece, error)
        return None

    def status(self, origin: Origin, device: DeviceEntry, payload: Any) -> None:
        """The device's or its last will's word, or the broker's. Raises Invalid."""
        word = payload.decode("utf-8", "replace") if isinstance(payload, bytes) else payload
        word = word.strip().strip('"').lower() if isinstance(word, str) else ""
        if word not in ("online", "offline"):
            raise Invalid("bad_shape", "a status is “online” or “offline”")
        if origin.uplink.source != "replay":
            cause = "broker" if origin.uplink.source == "broker" else "status"
            self.findings.presences.append((device, Presence(device.id, word == "online", origin.uplink.received_at, cause)))
            if word == "online":
                self.findings.connected.add(device.id)

    def _event(self, origin: Origin, device: DeviceEntry, name: str, entry: Any) -> None:
        if not isinstance(entry, dict) or set(entry) - {"ts", "params"}:
            raise Invalid("bad_shape", "an event is an object with “params” and at most “ts”")
        params = {} if entry.get("params") is None else entry["params"]
        for outcome in split_value([{"values": {"params": params}}], inspect=True):
            if isinstance(outcome, Invalid):
                raise outcome
        known = device.product.model.check_event(name, params)
        if not known and not device.product.accepts_unknown:
            raise Invalid("unknown_event", f"the thing model has no event “{name}”")
        at = self._at(origin, device, entry.get("ts"))
        self.findings.events.add(EventReport(device.id, at, name, params, origin.uplink.received_at), origin)

    def _at(self, origin: Origin, device: DeviceEntry, ts: Any) -> int:
        """The instant of a report in µs: the device's, or the server's where it has none. Raises Invalid."""
        uplink = origin.uplink
        if ts is None:
            return self._arrival(origin, device)
        at = parse_ts(ts, uplink.received_at)
        if origin.piece is WHOLE and uplink.source == "mqtt":  # a list is backfill, and says nothing of the clock
            self.findings.offsets[device.id] = at - uplink.received_at
        return at

    def _arrival(self, origin: Origin, device: DeviceEntry) -> int:
        """The time of a report without one: its message's arrival, each a microsecond later; a replay gives the same again."""
        spoken = origin.place, device.id
        if origin.uplink.source == "replay":
            number = self._replayed[spoken] = self._replayed.get(spoken, -1) + 1
            return origin.uplink.received_at + number
        at = SERVER_TIMES.distinct(device.id, origin.uplink.received_at)
        if device.product.archives:
            self.findings.bases.setdefault(spoken, at)
        return at

    def _unknown(self, product: ProductEntry, kind: str, names: list[str]) -> None:
        if not product.accepts_unknown:
            raise Invalid("unknown_property", f"the thing model has no {kind} “{names[0][:100]}”")
        if not self.directory.discover(product, kind, names):
            raise Invalid("too_many_properties", "the product has too many properties that its thing model does not know")
