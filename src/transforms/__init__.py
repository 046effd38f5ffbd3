"""Pure functions from DataFrame to DataFrame, without actions, files or printing.

`nested`, `packed`, `totals`, `checks` and `row_errors` work on any data; the other modules belong to one job each.
"""
