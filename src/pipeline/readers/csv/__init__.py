"""CSV files as records: lines, quoted values, fields by header, line numbers, and typed columns."""
