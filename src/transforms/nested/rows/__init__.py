"""The rows of all tables, made record by record, and written out as lines or typed values."""
