"""Recomputing every KPI of one year for twenty teams."""
