"""What a device runs that registers itself, to be pasted."""

import json


def snippet(web: str, address: str, secret: str) -> str:
    """One line of curl; `secret` is a word to be replaced where it is not shown now."""
    body = json.dumps({"product": address, "secret": secret or "PRODUCT-SECRET", "serial": "SERIAL"})
    return f"curl -sS {web}/api/v1/device/register \\\n  -H 'Content-Type: application/json' \\\n  -d '{body}'"
