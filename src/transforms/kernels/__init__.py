"""Row-local work on Arrow record batches: texts and JSON to declared types, row errors, steps over rows."""
