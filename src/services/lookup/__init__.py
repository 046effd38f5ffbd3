"""The car park lookup on a terminal: it loads the carparks job's output, searches it and shows what it finds."""
