"""The web server's entry: HTTP by Django, WebSockets by Channels."""

import atexit
import os

import django
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import WebsocketDenier
from django.urls import get_resolver, re_path

from iotpanel import databases
from iotpanel.figures import Reporter
from iotpanel.handler import Handler

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "iotpanel.settings")
django.setup(set_prefix=False)
databases.share()
http = Handler()

from telemetry.routing import websocket_urlpatterns  # noqa: E402 - it imports models, so Django has to be set up before

elsewhere = re_path(r"", WebsocketDenier.as_asgi())  # without it an unknown address would be an error of ours
application = ProtocolTypeRouter({"http": http, "websocket": URLRouter([*websocket_urlpatterns, elsewhere])})

# The pages' and the admin's modules take two seconds: not for whoever comes first, and not in a thread beside others that import:
# Python then lets one see the other's half-loaded modules, and the admin's addresses were made before its models were registered.
addresses = get_resolver().url_patterns
reporter = Reporter("web")
reporter.start()
atexit.register(reporter.stop)
