"""The hub on one machine: its own PostgreSQL and Redis, and all that runs beside them (docs/decisions/0002)."""
