"""The web server's entry: HTTP by Django, WebSockets by Channels."""

import atexit
import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "iotpanel.settings")
http = get_asgi_application()  # first: it sets Django up, and what follows imports models

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import WebsocketDenier  # noqa: E402
from django.urls import re_path  # noqa: E402

from iotpanel.figures import Reporter  # noqa: E402
from telemetry.routing import websocket_urlpatterns  # noqa: E402

elsewhere = re_path(r"", WebsocketDenier.as_asgi())  # without it an unknown address would be an error of ours
application = ProtocolTypeRouter({"http": http, "websocket": URLRouter([*websocket_urlpatterns, elsewhere])})

reporter = Reporter("web")
reporter.start()
atexit.register(reporter.stop)
