"""A test message, sent now and past the outbox, so that a person sees at once what the other side says."""

from collections.abc import Callable
from typing import NamedTuple

import structlog
from django.utils.translation import gettext as _

from rules.carriers.forwarder import ForwarderCarrier
from rules.delivery.run import record
from rules.models import Forwarder, Target
from rules.outside.errors import Down, Gone, Rejected, shortened
from rules.template_filters import TemplateError

from .contexts import sample
from .records import target_of

log = structlog.get_logger(__name__)


class Tried(NamedTuple):
    """Whether it was taken, what was sent, and the other side's words."""

    ok: bool
    sent: str
    answer: str


def send_test(forwarder: Forwarder) -> Tried:
    """Send one sample message and write down what was answered. Never raises for what the other side does."""
    target = target_of(forwarder)

    def attempt() -> tuple[str, str]:
        carrier = ForwarderCarrier(target)
        try:
            message = carrier.message(forwarder.stream, sample(forwarder.stream, forwarder.tenant))
            return message.body, carrier.adapter.send([message])
        finally:
            carrier.close()

    return tried(target, attempt)


def tried(target: Target, attempt: Callable[[], tuple[str, str]]) -> Tried:
    """What became of an attempt, which returns what was sent and what was answered; written down as a test."""
    try:
        sent, answer = attempt()
        found = Tried(True, sent, shortened(answer) or str(_("Taken.")))
    except (Down, Rejected, Gone, TemplateError) as error:
        found = Tried(False, "", str(error))
    except Exception as error:  # what a client library raises is for the person to read, not a fault of ours
        log.info("test_message_failed", kind=target.kind, target=target.target, error=type(error).__name__)
        found = Tried(False, "", shortened(f"{type(error).__name__}: {error}"))
    record(target, [], ok=found.ok, answer=found.answer, sent=found.sent, test=True)
    return found
