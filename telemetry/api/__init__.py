"""REST of what devices say: newest values, history, events, attributes, frames, dead letters; and the devices' own door."""
