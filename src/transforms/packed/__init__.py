"""Several attributes in one CSV column as columns of their own.

`splitting` has packed columns, `lists` lists and pairs, `tables` packed first headers, `plan` all of them by header.
"""
