"""Structured logs of every process: lines for people on a terminal, JSON elsewhere; what is secret is masked.

Django calls `configure` when it sets itself up (`LOGGING_CONFIG`), so that web, workers, beat and commands agree.
"""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import orjson
import structlog

Event = MutableMapping[str, Any]
MASK = "***"
SECRET_NAME = re.compile(r"passw|secret|token|authorization|cookie|api_?key|signature|credential", re.IGNORECASE)
# `scheme://user:password@host`, `Bearer x`, `Basic x`, and our own API keys, wherever in a text they stand.
SECRET_TEXT = re.compile(r"(?<=://)([^\s:/@]*):[^\s@/]+(?=@)|\b(Bearer|Basic)\s+[\w.~+/=:-]+|\b(iot_[0-9a-f]{10})_[\w-]+")
# Only what is wrong there matters; that a task ran is in the metrics.
QUIET = [
    *("daphne", "django.channels", "asyncio", "httpx", "httpcore", "urllib3", "amqp", "kombu"),
    *("celery.redirected", "celery.beat", "celery.worker.strategy", "celery.app.trace", "axes"),
]


def configure(options: dict[str, Any]) -> None:
    """Set logging up. `options`: `level`, and `format`, which is `json`, `text` or empty (by what stderr is)."""
    as_json = options.get("format") == "json" or (not options.get("format") and not sys.stderr.isatty())
    before: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    structlog.configure(
        processors=[*before, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=before, processors=_rendering(as_json)))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(options.get("level", "INFO"))
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.DEBUG if root.level <= logging.DEBUG else logging.WARNING)
    for name in ("django", "django.server"):  # Django has set up handlers of its own by now
        logging.getLogger(name).handlers = []
    # Our own line about each request says more (`iotpanel.requests`); tracebacks of what failed stay.
    for name in ("django.server", "django.request"):
        logging.getLogger(name).setLevel(logging.ERROR)


def _rendering(as_json: bool) -> list[Any]:
    # Tracebacks become text before the masking, because an exception's message may hold a secret too.
    before: list[Any] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, structlog.processors.format_exc_info, mask]
    if as_json:
        return [*before, structlog.processors.JSONRenderer(serializer=_as_json)]
    plain = structlog.dev.plain_traceback
    return [*before, structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)]


def _as_json(event: Event, **_options: Any) -> str:
    return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


def mask(_logger: Any, _method: str, event: Event) -> Event:
    """Hide values whose name says that they are secret, and secrets within texts."""
    for name, value in event.items():
        if SECRET_NAME.search(name):
            event[name] = MASK
        elif isinstance(value, str):
            event[name] = masked(value)
        elif isinstance(value, dict):
            event[name] = dict(mask(None, "", dict(value)))
    return event


def masked(text: str) -> str:
    """The text without what looks like a password, a token or a key."""
    return SECRET_TEXT.sub(_keep_the_beginning, text)


def _keep_the_beginning(found: "re.Match[str]") -> str:
    user, scheme, prefix = found.groups()
    if scheme:
        return f"{scheme} {MASK}"
    return f"{prefix}_{MASK}" if prefix else f"{user}:{MASK}"
