"""Which tables and columns nested JSON becomes: path statistics, choices per path, names, plan, and locked schema."""
