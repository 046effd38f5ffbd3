"""The read API: people from PostgreSQL, restaurants and car parks from DynamoDB, as JSON over HTTP."""
