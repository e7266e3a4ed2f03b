"""Keeping promises: after the commit, at least once, in order per device, with nothing lost while the other side is down."""
