"""Who is who: tenants, people, memberships, API keys. `.for_user()` is the one tenant filter."""
