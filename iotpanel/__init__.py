"""iotpanel: an IoT platform on Django. This package wires the apps together."""

from .celery import app as celery_app

__all__ = ["celery_app"]
