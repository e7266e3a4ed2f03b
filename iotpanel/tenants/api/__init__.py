"""The REST API's doors: who asks, in which tenant, with what right; and the tenants, members and keys themselves."""
