"""Web push: browsers of people that asked to be told, and how a message reaches them (RFC 8030, 8291, 8292)."""
