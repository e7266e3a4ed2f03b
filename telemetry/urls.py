"""Fragments of the device page, below `/devices/{key}/parts/`."""

from django.urls import URLPattern, URLResolver, path

from .views import attributes, charts, events, facts, frames, letters, values

urlpatterns: list[URLPattern | URLResolver] = [
    path("values/", values.values, name="device-part-values"),
    path("sparks/", values.sparks, name="device-part-sparks"),
    path("chart/", charts.chart, name="device-part-chart"),
    path("flags/", charts.flags, name="device-part-flags"),
    path("compare/", charts.compare, name="device-part-compare"),
    path("events/", events.event_rows, name="device-part-event-rows"),
    path("frames/", frames.recorded, name="device-part-recorded-frames"),
    path("gaps/", facts.gaps, name="device-part-gaps"),
    path("attributes/", attributes.set_attribute, name="device-part-set-attribute"),
    path("replay/", letters.replay_letters, name="device-part-replay"),
]
