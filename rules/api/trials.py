"""What a rule would have done, and why it did what it did: the back-test and the trace over REST."""

import datetime
from typing import Any

import redis
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework import serializers

from iotpanel.api.errors import Unavailable
from iotpanel.api.fields import InstantField
from iotpanel.tenants.models import Tenant
from rules import trace
from rules.backtest import Backtest
from rules.compiled import Compiled
from rules.known import KINDS
from rules.models import Rule
from rules.problem_words import said
from rules.problems import BadRule
from telemetry.api.fields import microseconds

LONGEST = datetime.timedelta(days=366)


class BacktestRequest(serializers.Serializer[Any]):
    start = InstantField()
    end = InstantField(required=False, help_text="Left out: now.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs.setdefault("end", timezone.now())
        if not datetime.timedelta(0) < attrs["end"] - attrs["start"] <= LONGEST:
            raise serializers.ValidationError({"end": [_("It ends after it begins, and within a year.")]})
        return attrs


class BodyBacktestRequest(BacktestRequest):
    rule = serializers.JSONField(help_text="A rule as it would be saved.")


class FiringSerializer(serializers.Serializer[Any]):
    device = serializers.CharField()
    device_name = serializers.CharField()
    ts = serializers.FloatField()
    change = serializers.ChoiceField(["raised", "cleared", "repeated"])
    value = serializers.JSONField(allow_null=True)
    values = serializers.JSONField()


class KnownSerializer(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(KINDS)
    since = serializers.FloatField(
        allow_null=True, help_text="From when on it is known of any device, at the earliest the start; null: of none."
    )
    since_all = serializers.FloatField(allow_null=True, help_text="From when on it is known of all devices of which anything is known.")
    devices_unknown = serializers.IntegerField(help_text="Devices of which nothing of this kind is known.")


class BacktestAnswer(serializers.Serializer[Any]):
    devices = serializers.IntegerField()
    devices_done = serializers.IntegerField()
    looks = serializers.IntegerField(help_text="Readings and times that were looked at.")
    firings = FiringSerializer(many=True)
    alarms = serializers.IntegerField()
    notifications = serializers.IntegerField()
    stopped = serializers.CharField(allow_blank=True, help_text="Which bound was reached; empty: none.")
    known = KnownSerializer(many=True, help_text="From when on each kind of past is known that the rule looks at.")
    assumed = serializers.ListField(child=serializers.CharField(), help_text="In what this is not as it would have been.")


class TraceQuery(serializers.Serializer[Any]):
    device = serializers.CharField(required=False, max_length=64)
    limit = serializers.IntegerField(required=False, min_value=1, max_value=trace.KEPT)


class TraceAnswer(serializers.Serializer[Any]):
    results = serializers.ListField(child=serializers.JSONField())
    watched_for = serializers.IntegerField(help_text="Seconds for which looks that change nothing are noted too, from now on.")


def try_over_the_past(tenant: Tenant, rule: Compiled, given: dict[str, Any]) -> dict[str, Any]:
    """The answer of a back-test. Raises ValidationError by path."""
    try:
        return Backtest(rule, tenant, microseconds(given["start"]), microseconds(given["end"])).run()
    except BadRule as error:
        raise serializers.ValidationError({error.path: [said(error)]}) from error


def traced(rule: Rule, query: dict[str, Any]) -> dict[str, Any]:
    """The trace's answer."""
    try:
        found = trace.read(rule.pk, query.get("device", ""), query.get("limit", 100))
    except redis.RedisError as error:
        raise Unavailable(_("The trace is kept where nobody answers now. Try again soon.")) from error
    return {"results": found, "watched_for": trace.WATCHED}
