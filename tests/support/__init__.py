"""What tests stand on: a job run as a user would run it, and local servers that answer as AWS does."""
