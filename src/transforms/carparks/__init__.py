"""Car parks: readings of their lots, joined with what is known of each."""
