"""The web server's entry: HTTP by Django, WebSockets by Channels."""

import atexit
import os
import threading

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

# The pages' and the admin's modules take two seconds: they load while the servers' other parts start, not for whoever comes first.
threading.Thread(target=lambda: get_resolver().url_patterns, name="addresses", daemon=True).start()
reporter = Reporter("web")
reporter.start()
atexit.register(reporter.stop)
