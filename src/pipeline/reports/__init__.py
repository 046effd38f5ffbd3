"""What a run says of itself: record counts, report.json and report.html, tables and progress on the terminal."""
