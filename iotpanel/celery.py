"""The Celery app: the task worker, beat, and (with `--uplink`) the worker that runs connectors and pipeline."""

import os

from celery import Celery

from . import processes, worker

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "iotpanel.settings")
# Celery would have each worker check everything at its start, for which the addresses, pages and the admin are loaded and then
# never used: half of what a worker takes to start. `manage.py check` is for that.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")

app = Celery("iotpanel")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
worker.install(app)
processes.install(app)
