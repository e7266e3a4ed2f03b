"""The Celery app: the task worker, beat, and (with `--uplink`) the worker that runs connectors and pipeline."""

import os

from celery import Celery

from . import processes, worker

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "iotpanel.settings")

app = Celery("iotpanel")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
worker.install(app)
processes.install(app)
