"""Deliveries by which services announce changes: verified, counted, and never believed beyond *read this again*.

See docs/decisions/0010-webhooks.md.
"""
