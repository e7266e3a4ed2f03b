"""Commands of one device: sent, listed, waited for, taken back."""

from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from devices.downlink import commands
from devices.downlink.waiting import waiting
from devices.models import Command
from iotpanel.api.pagination import CursorPagination
from iotpanel.api.schema import LISTING, page_of
from iotpanel.tenants.models import Role

from .base import DeviceEndpoint
from .command_serializers import CommandQuery, CommandSerializer, NewCommand, WaitQuery

WAIT = OpenApiParameter("wait", float, description="Seconds to wait for the end, at most 60.")


class CommandEndpoint(DeviceEndpoint):
    resource = "commands"
    writes = Role.OPERATOR

    def commands(self) -> QuerySet[Command]:
        return Command.objects.for_tenant(self.tenant).filter(device=self.device).select_related("device", "person")

    def one(self, pk: str) -> Command:
        found = self.commands().filter(pk=int(pk)).first() if int(pk) < 2**63 else None
        if found is None:
            raise Http404
        return found


class CommandsView(CommandEndpoint):
    """What this device was told to do."""

    @extend_schema(
        parameters=[CommandQuery, *LISTING],
        responses={200: page_of(CommandSerializer)},
        operation_id="devices_commands",
        filters=False,
    )
    def get(self, request: Request, key: str) -> Response:
        """Newest first."""
        query, rows = self.query(CommandQuery), self.commands()
        if states := query.get("state"):
            rows = rows.filter(state__in=states)
        for name, lookup in (("name", "name"), ("since", "created_at__gte"), ("until", "created_at__lt")):
            if name in query:
                rows = rows.filter(**{lookup: query[name]})
        pages = CursorPagination()
        page: Any = pages.paginate_queryset(rows, request, self)
        return pages.get_paginated_response(CommandSerializer(page, many=True).data)

    @extend_schema(
        parameters=[WAIT],
        request=NewCommand,
        responses={
            201: OpenApiResponse(CommandSerializer, "It has ended."),
            202: OpenApiResponse(CommandSerializer, "It is under way: follow it here or on the WebSocket."),
        },
        operation_id="devices_commands_send",
    )
    def post(self, request: Request, key: str) -> Response:
        """Sends a command; with `wait` the answer comes when it has ended, or when so many seconds are over."""
        seconds = self.validated(WaitQuery, request.query_params.dict()).get("wait", 0)
        given = self.validated(NewCommand, request.data)
        made = commands.send(self.device, person=self.person(), **given)
        if seconds:
            waiting.until_final(made.pk, seconds, lambda: self._is_final(made.pk))
            made = self.one(str(made.pk))
        return Response(CommandSerializer(made).data, status=201 if made.final else 202)

    def _is_final(self, pk: int) -> bool:
        return self.commands().filter(pk=pk, finished_at__isnull=False).exists()


class CommandView(CommandEndpoint):
    """One command."""

    @extend_schema(responses=CommandSerializer, operation_id="devices_commands_one")
    def get(self, request: Request, key: str, id: str) -> Response:
        return Response(CommandSerializer(self.one(id)).data)

    @extend_schema(responses={200: CommandSerializer}, operation_id="devices_commands_cancel")
    def delete(self, request: Request, key: str, id: str) -> Response:
        """Takes it back, as long as it was not sent; 409 `already_sent` or `already_final` otherwise."""
        return Response(CommandSerializer(commands.cancel(self.one(id), person=self.person())).data)
