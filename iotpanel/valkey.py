"""Connections to Valkey (or Redis) for what is not a cache: live data, raw frames, workers' figures.

Timeouts are short everywhere, because nothing that goes through here is worth waiting for.
"""

from functools import lru_cache

import redis
import redis.asyncio
from django.conf import settings
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry

PREFIX = "iotpanel:"
TIMEOUT = 2.0  # seconds


def client() -> "redis.Redis":
    """The process's shared client; thread-safe, connects when first used."""
    return _client(settings.REDIS_URL)


def new_client() -> "redis.Redis":
    """A client of its own, for a thread that subscribes."""
    return _connect(settings.REDIS_URL)


def async_client(*, retries: int = 1) -> "redis.asyncio.Redis":
    """A client for the running event loop; whoever asks closes it with `aclose()`.

    A subscriber wants no `retries`: connected again behind its back, it would not know that it has missed something.
    """
    # It also waits for as long as nothing comes, so reading has no timeout here: a health check notices a dead peer.
    return redis.asyncio.Redis.from_url(
        settings.REDIS_URL,
        socket_connect_timeout=TIMEOUT,
        socket_timeout=None,
        health_check_interval=10,
        retry=AsyncRetry(NoBackoff(), retries),
    )


@lru_cache(maxsize=4)
def _client(url: str) -> "redis.Redis":
    return _connect(url)


def _connect(url: str) -> "redis.Redis":
    # One retry, at once: it mends a pooled connection that a restart cut. The library's default would wait for seconds.
    return redis.Redis.from_url(url, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT, retry=Retry(NoBackoff(), 1))
