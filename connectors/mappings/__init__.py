"""What the databases of a documents tool hold, as an admin says."""
