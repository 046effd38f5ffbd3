"""What every job shares and that has effects: the life of a run, reading, writing, publishing and delivering."""

__version__ = "1.0.0"
