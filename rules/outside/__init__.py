"""How we reach the world outside: only addresses that are allowed, and errors by type."""
