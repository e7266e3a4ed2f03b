"""Rules, their schema, and what they would have done."""

from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from iotpanel.api.errors import Conflict
from iotpanel.tenants.models import Role
from rules import rules, tallies
from rules.compiled import FIELDS
from rules.models import Rule
from rules.schema import rule_schema

from .effects import EffectsViewSet
from .trials import BacktestAnswer, BacktestRequest, BodyBacktestRequest, TraceAnswer, TraceQuery, traced, try_over_the_past


class RunAnswer(serializers.Serializer[Any]):
    devices = serializers.IntegerField(help_text="On how many devices it was run.")


class RuleLimits(serializers.Serializer[Any]):
    rules = serializers.IntegerField()
    most_rules = serializers.IntegerField()
    running = serializers.IntegerField()
    failed = serializers.IntegerField()
    most_firings_per_minute = serializers.IntegerField()
    fired = serializers.IntegerField(help_text="Within the last day; so are the next two.")
    postponed = serializers.IntegerField(help_text="Held back by the limit, and looked at again.")
    skipped = serializers.IntegerField(help_text="Held back by the limit, and gone: events and the like.")


class RuleQuery(serializers.Serializer[Any]):
    enabled = serializers.BooleanField(required=False, allow_null=True)
    search = serializers.CharField(required=False, allow_blank=True, max_length=200, help_text="Part of the name.")


class RuleProblem(serializers.Serializer[Any]):
    field = serializers.CharField(help_text="Its path in the rule, such as when.property.")
    message = serializers.CharField(help_text="In the language of the request.")


class RuleSerializer(serializers.Serializer[Rule]):
    """The body's fields stand beside the name, as the published schema says."""

    id = serializers.IntegerField(read_only=True)
    name = serializers.CharField(max_length=200)
    enabled = serializers.BooleanField(required=False)
    description = serializers.JSONField(required=False, allow_null=True)
    scope = serializers.JSONField(required=False, help_text="Which devices: product, group, devices, labels.")
    trigger = serializers.JSONField(required=False, allow_null=True)
    when = serializers.JSONField(required=False, allow_null=True)
    clear = serializers.JSONField(required=False, allow_null=True)
    clear_for = serializers.JSONField(required=False, allow_null=True)
    cooldown = serializers.JSONField(required=False, allow_null=True)
    active = serializers.JSONField(required=False, allow_null=True)
    repeat = serializers.JSONField(required=False, allow_null=True)
    lateness = serializers.JSONField(required=False, allow_null=True)
    actions = serializers.JSONField(required=False)
    failures = serializers.IntegerField(read_only=True)
    last_error = serializers.CharField(read_only=True)
    disabled_reason = serializers.CharField(read_only=True, help_text="Why the platform switched it off, in the language of the request.")
    disabled_code = serializers.CharField(read_only=True, help_text="The same as a code that stays: failed_often, or said.")
    problems = RuleProblem(
        many=True,
        read_only=True,
        allow_null=True,
        help_text="What is wrong with it by now, such as a property that its product lost; null in lists, where nobody looks.",
    )
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)

    def get_fields(self) -> dict[str, Any]:
        """With `for`, which is a word of Python."""
        return {
            **super().get_fields(),
            "for": serializers.JSONField(required=False, allow_null=True, help_text="How long it has to be so."),
        }

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        values: dict[str, Any] = super().to_internal_value(data)
        unknown = sorted(set(data) - set(self.fields))
        if unknown:
            raise serializers.ValidationError({unknown[0][:60]: ["This is not known here."]})
        body = {name: values.pop(name) for name in list(values) if name in FIELDS}
        return {**values, "body": {name: value for name, value in body.items() if value is not None}, "given": sorted(body)}

    def to_representation(self, instance: Rule) -> dict[str, Any]:
        own = {name: instance.body.get(name) for name in FIELDS if name in instance.body}
        return {
            "id": instance.pk,
            "name": instance.name,
            "enabled": instance.enabled,
            **own,
            "failures": instance.failures,
            "last_error": instance.last_error,
            "disabled_reason": instance.stopped_because,
            "disabled_code": instance.disabled_reason,
            "problems": rules.what_is_wrong(instance.tenant, instance.body) if self.parent is None else None,
            "created_at": instance.created_at.isoformat(),
            "updated_at": instance.updated_at.isoformat(),
        }


@extend_schema_view(list=extend_schema(parameters=[RuleQuery]))
class RulesViewSet(EffectsViewSet):
    """When something is so, do something about it."""

    resource = "rules"
    needs = {"run": Role.OPERATOR, "put_back": Role.OPERATOR, "backtest": Role.VIEWER, "backtest_body": Role.VIEWER}
    serializer_class = RuleSerializer
    queryset = Rule.objects.all()
    lookup_field = "id"
    lookup_value_regex = r"[0-9]{1,18}"

    def get_queryset(self) -> QuerySet[Any]:
        found: Any = super().get_queryset()
        if self.action != "list":
            return found
        query = self.query(RuleQuery)
        if query.get("enabled") is not None:
            found = found.filter(enabled=query["enabled"])
        return found.filter(Q(name__icontains=query["search"])) if query.get("search") else found

    def create_object(self, values: dict[str, Any]) -> tuple[Rule, dict[str, Any]]:
        values.pop("given")
        return rules.create_rule(self.tenant, by=self.person(), **values), {}

    def update_object(self, instance: Rule, values: dict[str, Any]) -> Rule:
        """PATCH replaces the body's fields that are given, null takes one away; PUT the whole body."""
        given = values.pop("given")
        if self.action == "partial_update":
            kept = {name: value for name, value in instance.body.items() if name not in given}
            values["body"] = {**kept, **values["body"]}
        return rules.update_rule(instance, **values)

    def delete_object(self, instance: Rule) -> None:
        rules.delete_rule(instance)

    @extend_schema(responses={200: {"type": "object"}}, filters=False)
    @action(detail=False, methods=["get"], pagination_class=None, url_path="schema")
    def body_schema(self, request: Request) -> Response:
        """The JSON Schema of a rule."""
        return Response(rule_schema())

    @extend_schema(parameters=[TraceQuery], responses=TraceAnswer, filters=False)
    @action(detail=True, methods=["get"], pagination_class=None)
    def trace(self, request: Request, **kwargs: Any) -> Response:
        """Why it fired, or did not: values, windows and times, the newest first. Asking has more noted for a minute."""
        return Response(traced(self.get_object(), self.query(TraceQuery)))

    @extend_schema(request=BacktestRequest, responses=BacktestAnswer)
    @action(detail=True, methods=["post"])
    def backtest(self, request: Request, **kwargs: Any) -> Response:
        """When it would have fired over stored readings. Changes nothing."""
        rule = self.get_object()
        given = self.validated(BacktestRequest, request.data or {})
        return Response(try_over_the_past(self.tenant, rules.checked(self.tenant, rule.body, name=rule.name), given))

    @extend_schema(request=BodyBacktestRequest, responses=BacktestAnswer, operation_id="rules_backtest_unsaved")
    @action(detail=False, methods=["post"], url_path="backtest")
    def backtest_body(self, request: Request) -> Response:
        """The same for a rule that is not saved."""
        given = self.validated(BodyBacktestRequest, request.data or {})
        values = self.validated(RuleSerializer, given["rule"])
        compiled = rules.checked(self.tenant, values["body"], name=values["name"])
        return Response(try_over_the_past(self.tenant, compiled, given))

    @extend_schema(request=None, responses={200: RunAnswer})
    @action(detail=True, methods=["post"])
    def run(self, request: Request, **kwargs: Any) -> Response:
        """Runs a scene now, on all devices of its scope."""
        rule = self.get_object()
        if rule.body.get("trigger") not in ("scene", {"kind": "scene"}):
            raise Conflict("not_a_scene", _("Only a rule with the trigger “scene” is run by hand."))
        if not rule.enabled:
            raise Conflict("disabled", _("This rule is switched off."))
        return Response({"devices": rules.run_scene(rule)})

    @extend_schema(responses={200: RuleLimits}, filters=False)
    @action(detail=False, methods=["get"], pagination_class=None)
    def limits(self, request: Request) -> Response:
        """How many rules there are, and may be; how often they acted, and may; and which were switched off because they failed."""
        mine = Rule.objects.for_tenant(self.tenant)
        return Response(
            {
                "rules": mine.count(),
                "most_rules": settings.RULES_PER_TENANT,
                "running": mine.running().count(),
                "failed": mine.exclude(disabled_reason="").count(),
                "most_firings_per_minute": settings.RULE_FIRINGS_PER_MINUTE,
                **tallies.of_the_last_day(self.tenant),
            }
        )
