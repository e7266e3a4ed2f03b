"""Django's cache in Valkey, with one pool of connections for the whole process.

Django makes a cache, and with it a pool, for each thread; the web server's threads live no longer than a request, so each
request would connect and sign in anew.
"""

from functools import cached_property, lru_cache
from typing import Any

from django.core.cache.backends.redis import RedisCache, RedisCacheClient


class SharedRedisCache(RedisCache):
    """The pool is made when it is first used, so a process that forks has to do so before."""

    _servers: list[str]
    _options: dict[str, Any]

    @cached_property
    def _cache(self) -> RedisCacheClient:
        return _client(tuple(self._servers), tuple(sorted(self._options.items())))


@lru_cache(maxsize=4)
def _client(servers: tuple[str, ...], options: tuple[tuple[str, Any], ...]) -> RedisCacheClient:
    return RedisCacheClient(list(servers), **dict(options))
