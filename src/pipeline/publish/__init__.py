"""Outputs on their way to their names: part files that tasks write, joining of parts, manifest, hashes, the lock."""
