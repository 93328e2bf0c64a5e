"""The hub on one machine: its own PostgreSQL and Redis, and everything that runs beside them. See docs/decisions/0002."""
