"""Published lines as messages of an SQS queue, with a ledger of what was sent, so that a restart repeats little."""
