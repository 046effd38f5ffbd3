"""A job and its run: options, the context that a job's `run` is given, declared outputs, record counts, report."""
