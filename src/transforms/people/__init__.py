"""People: names split into their parts, and the rows of their table."""
