"""Restaurant pages: details, events, rating thresholds and their histogram."""
