"""What devices say: the uplink pipeline, the store, history and live data."""
