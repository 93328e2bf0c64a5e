"""The stand-in of Notion: what Ardoise keeps there, how it lives on, and the wire that shows it."""
