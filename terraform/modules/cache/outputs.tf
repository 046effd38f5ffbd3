output "url" {
  description = "Address of the cache, by TLS, without user and password."
  value       = "valkeys://${aws_elasticache_serverless_cache.this.endpoint[0].address}:${aws_elasticache_serverless_cache.this.endpoint[0].port}"
}

output "secret_arn" {
  description = "Secret with user and password."
  value       = aws_secretsmanager_secret.login.arn
}

output "client_security_group_id" {
  description = "Security group of whoever uses the cache."
  value       = aws_security_group.client.id
}
