"""Channels, forwarders and rules as configuration: how they are written down, and the verbs that make them so.

They are known by their names. No secret is ever written down; a document may hold one, and then its plan does not show it.
"""

from .adapted import Channels, Forwarders
from .rules import Rules

__all__ = ["Channels", "Forwarders", "Rules"]
