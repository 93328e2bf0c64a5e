"""The formulas in SQL, set by set, a module for each source. Definitions: docs/metrics.md (integrations.md 6).

Each statement yields (key, team_id, week, value, num, den, spread, n, coverage), `team_id` empty for the company.
Parameters of all: [`first`, `past`) are the first day of the first week and the day after the last one, `now` is the
moment up to which the sources were read, `today` its day, `week` its week (what holds at a moment is of that week),
`zone` the company's time zone, `read` the connections that are on.
"""
