"""Fragments of the device page: what devices say, as HTML and JSON below `/devices/{key}/parts/`."""
