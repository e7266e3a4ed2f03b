"""The topics that rules may publish to: those of a device's downlink. Pure Python."""


def device_of(topic: str) -> str:
    """The key in `devices/<key>/down/...`; empty for other topics, and for those with wildcards."""
    steps = topic.split("/")
    whole = len(steps) >= 4 and steps[0] == "devices" and steps[2] == "down" and all(steps)
    return str(steps[1]) if whole and not set("+#\0") & set(topic) and len(topic) < 1000 else ""
