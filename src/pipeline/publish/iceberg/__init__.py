"""Tables of Iceberg, through pyiceberg: tasks write the data files, the driver commits them, no jar on any engine.

Nothing else imports pyiceberg, and nothing imports this package but for `--format iceberg`.
"""
