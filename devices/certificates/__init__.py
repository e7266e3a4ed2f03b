"""Client certificates of devices: issued by an authority of our own, listed where they are revoked.

Authorities of tenants are not taken: the broker takes the common name for the account, so that any authority it trusts
could name any device of any tenant.
"""

from .verbs import Issued, issue, revoke, revoke_all
from .verify import holder

__all__ = ["Issued", "holder", "issue", "revoke", "revoke_all"]
