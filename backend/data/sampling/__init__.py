"""A smaller file of the same form in place of a large one: rows from its head, from many places between, and from its end."""
