"""Tags of the palette."""
