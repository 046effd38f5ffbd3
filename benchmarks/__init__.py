"""Measurements: generators of inputs, the benchmark, and its last table."""
