"""Where published outputs are delivered to: an SQS queue, a PostgreSQL table, a DynamoDB table."""
