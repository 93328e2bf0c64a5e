"""Tables that come as files: a plan that people read first, written whole or not at all, and taken back."""
