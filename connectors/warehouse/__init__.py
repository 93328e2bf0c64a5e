"""Reading a company's own databases, behind walls: one query, read only, cut by the clock, in a process of its own."""
