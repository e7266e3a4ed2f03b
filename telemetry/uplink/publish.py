"""What happens once a batch is committed: counters, browsers, watched frames. Best effort, never in the way."""

from collections import Counter
from collections.abc import Sequence
from time import time
from typing import Any

import orjson

from devices.messages import Uplink
from iotpanel import metrics
from telemetry.live import publisher

from .findings import Findings
from .refused import refused

SECOND = 1_000_000
DECODED = 4_096  # characters of a frame's values


def committed(batch: Sequence[Uplink], findings: Findings) -> None:
    """Tell the world about a batch."""
    _count(findings)
    for source, messages in Counter(uplink.source for uplink in batch).items():
        metrics.UPLINK_MESSAGES.labels(source).inc(messages)
    now = int(time() * SECOND)
    for uplink in batch[:: max(1, len(batch) // 16)]:  # a sample: the histogram needs no more
        if uplink.source != "replay":
            metrics.UPLINK_SECONDS.observe((now - uplink.received_at) / SECOND)
    live = publisher()
    if watched := live.watched:
        live.readings(
            [
                (report.device_id, origin.key, report.at, report.values)
                for report, origin in zip(findings.reports.items, findings.reports.origins, strict=True)
                if report.device_id in watched
            ]
        )
    if findings.presences:
        live.status((entry.id, entry.key, entry.tenant_id, word.online, word.at) for entry, word in findings.presences)
    if live.framed:
        _frames(batch, findings, live.framed)


def timed(messages: int, translating: float, writing: float) -> None:
    """How a batch spent its seconds."""
    metrics.UPLINK_BATCH_MESSAGES.observe(messages)
    metrics.UPLINK_BATCH_SECONDS.labels("translate").observe(translating)
    metrics.UPLINK_BATCH_SECONDS.labels("write").observe(writing)


def _count(findings: Findings) -> None:
    for code in findings.refusals:
        metrics.UPLINK_REJECTIONS.labels(code[1]).inc()
    for _, word in findings.presences:
        metrics.PRESENCE_CHANGES.labels(str(word.online).lower(), word.cause).inc()
    for source in {source for source, _ in findings.counts}:
        columns = zip(*(counts for (each, _), counts in findings.counts.items() if each == source), strict=True)
        for counter, column in zip(metrics.UPLINK_COUNTERS, columns, strict=True):
            if count := sum(column):
                counter.labels(source).inc(count)
    for _, letter in findings.letters:
        metrics.DEAD_LETTERS.labels(letter.reason).inc()
    refused.note(letter for _, letter in findings.letters)


def _frames(batch: Sequence[Uplink], findings: Findings, framed: frozenset[int]) -> None:
    """Show each message of a watched device with what became of it."""
    decoded = _decoded(findings, framed)
    verdicts = {place: ("stored", decoded.get(place, "")) for place, _ in findings.heard}
    verdicts.update({place: (code, "") for place, code in findings.refusals})
    verdicts.update({place: (letter.reason, letter.detail) for place, letter in reversed(findings.letters)})
    publisher().frames(
        (device_id, batch[place].topic, batch[place].payload, batch[place].received_at, *verdicts[place])
        for place, device_id in dict.fromkeys(findings.heard)
        if device_id in framed
    )


def _decoded(findings: Findings, framed: frozenset[int]) -> dict[int, str]:
    """What the bytes of each message mean: its values as JSON, of several reports as a list; cut where it is long."""
    values: dict[int, list[dict[str, Any]]] = {}
    for report, origin in zip(findings.reports.items, findings.reports.origins, strict=True):
        if report.device_id in framed:
            values.setdefault(origin.place, []).append(report.values)
    return {place: orjson.dumps(found[0] if len(found) == 1 else found).decode()[:DECODED] for place, found in values.items()}
