"""The addresses of the device page, below `/devices/{key}/`."""

from django.urls import URLPattern, URLResolver, path

from . import access, commands, connect, shadow, tabs

urlpatterns: list[URLPattern | URLResolver] = [
    path("", tabs.now, name="device"),
    path("events/", tabs.event_list, name="device-tab-events"),
    path("frames/", tabs.frames, name="device-tab-frames"),
    path("dead-letters/", tabs.letters, name="device-tab-letters"),
    path("attributes/", tabs.attributes, name="device-tab-attributes"),
    path("commands/", commands.command_list, name="device-tab-commands"),
    path("commands/rows/", commands.command_rows, name="device-command-rows"),
    path("commands/send/", commands.send, name="device-command-send"),
    path("commands/<int:pk>/cancel/", commands.cancel, name="device-command-cancel"),
    path("shadow/", shadow.tab, name="device-tab-shadow"),
    path("shadow/parts/", shadow.body, name="device-shadow-parts"),
    path("shadow/change/", shadow.change, name="device-shadow-change"),
    path("connect/", connect.connect, name="device-tab-connect"),
    path("connect/rotate/", connect.rotate, name="device-rotate"),
    path("connect/certificates/", access.issue, name="device-certificate-issue"),
    path("connect/certificates/<str:serial>/revoke/", access.revoke, name="device-certificate-revoke"),
    path("connect/claim-code/", access.claim_code, name="device-claim-code"),
    path("connect/claim-code/revoke/", access.claim_code_revoke, name="device-claim-code-revoke"),
    path("connect/test-device/", connect.make_test_device, name="device-make-test"),
    path("connect/send/", connect.send, name="device-send"),
]
