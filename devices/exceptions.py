"""The four ways in which an uplink can fail to become data; callers decide by type, never by text."""

SENTENCE = 400  # characters of a detail that a line of the log has room for, as long as names and values are sensible


class Invalid(Exception):
    """The device said something that can't be accepted as it stands: it becomes a dead letter.

    `code` is one of the stable dead-letter reasons (`REASONS`), `detail` a sentence for the operator.
    """

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}" if self.detail else self.code


class Refused(Exception):
    """Refused by policy (`rate_limited`, `device_disabled`): counted as rejected, not kept."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail


class Unavailable(Exception):
    """Something we need is down for now: wait, then try the same thing again; never skip it."""


class Backpressure(Exception):
    """More comes in than can be taken: the sender has to slow down."""


REASONS = frozenset(
    {
        "unknown_device",
        "unknown_child",
        "unknown_topic",
        "unknown_property",
        "unknown_event",
        "unknown_command",
        "unexpected_reply",
        "wrong_device",
        "not_json",
        "bad_shape",
        "too_large",
        "too_deep",
        "too_many_properties",
        "bad_value",
        "out_of_range",
        "bad_timestamp",
        "codec_error",
        "codec_timeout",
        "codec_memory",
        "codec_result",
        "store_refused",
    }
)
