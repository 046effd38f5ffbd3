"""The same runs on every engine: what they write is compared byte by byte."""
