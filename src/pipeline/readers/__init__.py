"""Files as frames of records, one row per record and none lost; and the exact text of single records (`raw_lookup`).

`json` and `csv` have a package each, `xlsx` a module; `base` says what all readers have in common.
"""
