"""From the rows of a tracker to observations: one statement per family of metrics, all weeks and teams at once."""
