"""`python -m tests.bench`: the figures that the hub has to reach, measured. Not a test: nothing here fails a build."""
