"""Decoding a product's archived messages anew: started here, done in the background."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from devices.api.of_product import OfProduct
from devices.models import Device
from iotpanel.api.fields import InstantField, KeyOfField
from iotpanel.tenants.models import Role
from telemetry import reprocess, tasks
from telemetry.models import ReprocessRun
from telemetry.models.run import RunState

SHOWN = 50


class ReprocessRequest(serializers.Serializer[Any]):
    since = InstantField(help_text="What was received at this time or later.")
    until = InstantField(required=False, help_text="Received before this time; left out: now.")
    device = KeyOfField(Device.objects, required=False, help_text="Only this device's.")


class ReprocessAnswer(serializers.Serializer[ReprocessRun]):
    id = serializers.IntegerField()
    state = serializers.ChoiceField(RunState.choices)
    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    device = serializers.CharField(source="device.key", default=None, allow_null=True)
    messages = serializers.IntegerField(help_text="Archived messages done so far.")
    stored = serializers.IntegerField(help_text="Reports that were new or changed something.")
    unchanged = serializers.IntegerField(help_text="Reports that were there already with equal values.")
    failed = serializers.IntegerField(help_text="Reports that were refused; they are dead letters.")
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class ReprocessPage(serializers.Serializer[Any]):
    results = ReprocessAnswer(many=True)


class ReprocessView(OfProduct):
    """Runs that decode the product's archived messages anew, newest first."""

    writes = Role.OPERATOR

    @extend_schema(responses=ReprocessPage, operation_id="products_reprocess_runs")
    def get(self, request: Request, key: str) -> Response:
        runs = ReprocessRun.objects.filter(product=self.product).select_related("device")[:SHOWN]
        return Response({"results": [ReprocessAnswer(run).data for run in runs]})

    @extend_schema(request=ReprocessRequest, responses={202: ReprocessAnswer}, operation_id="products_reprocess")
    def post(self, request: Request, key: str) -> Response:
        """Starts a run. Twice changes nothing; values that come out differently overwrite."""
        given = self.validated(ReprocessRequest, request.data or {})
        run = reprocess.start(self.product, started_by=self.person(), **given)
        tasks.soon(tasks.reprocess_archived)
        return Response(ReprocessAnswer(run).data, status=202)
