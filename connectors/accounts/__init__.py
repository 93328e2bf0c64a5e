"""Accounts of tools and the people they belong to."""
