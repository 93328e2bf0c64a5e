"""Pages and acts of the tools room."""
