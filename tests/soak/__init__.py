"""Sixty nights under fire: `make soak`, or `python -m tests.soak --nights 60 --seed 1`."""
