"""From a message's arrival to its commit: read off the uplink workers' histogram."""

from typing import NamedTuple

import redis

from iotpanel import figures

BUCKETS = "iotpanel_uplink_arrival_to_commit_seconds_bucket"
Bucket = tuple[float, float]  # upper limit in seconds, cumulative count


class Latency(NamedTuple):
    """Milliseconds, in words."""

    p50: str
    p99: str


def latency() -> Latency | None:
    """Of all messages since the workers started; None where none reports, or none came yet."""
    try:
        buckets = _buckets(figures.reported())
    except redis.RedisError:
        return None
    if not buckets or not buckets[-1][1]:
        return None
    return Latency(_words(quantile(buckets, 0.5)), _words(quantile(buckets, 0.99)))


def _buckets(processes: dict[str, list[figures.Family]]) -> list[Bucket]:
    found: dict[float, float] = {}
    for name, families in processes.items():
        if figures.role_of(name) != "uplink":
            continue
        for _family, _kind, _text, samples in families:
            for sample, labels, count in samples:
                if sample == BUCKETS:
                    found[float(labels["le"])] = found.get(float(labels["le"]), 0) + count
    return sorted(found.items())


def quantile(buckets: list[Bucket], share: float) -> float:
    """The value below which `share` of the counts lie, in seconds: straight lines inside a bucket, the last limit beyond all."""
    wanted = share * buckets[-1][1]
    low, below = 0.0, 0.0
    for limit, count in buckets:
        if count >= wanted:
            return low if limit == float("inf") else low + (limit - low) * (wanted - below) / (count - below or 1)
        low, below = limit, count
    return low


def _words(seconds: float) -> str:
    milliseconds = seconds * 1000
    return f"{milliseconds:.0f}" if milliseconds >= 10 else f"{milliseconds:.1f}"
