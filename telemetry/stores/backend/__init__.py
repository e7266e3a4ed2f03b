"""Django's database backend: TimescaleDB's where the extension is there, plain PostgreSQL's where it is not."""
