"""Pure functions from DataFrame to DataFrame, without actions, files or printing.

`nested`, `packed`, `totals`, `checks`, `row_errors` and the Arrow `kernels` work on any data; the others, on one job's.
"""
