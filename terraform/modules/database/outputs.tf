output "url" {
  description = "Address of the database, without user and password."
  value       = "postgresql://${aws_db_instance.this.address}:${aws_db_instance.this.port}/${aws_db_instance.this.db_name}"
}

output "secret_arn" {
  description = "Secret with user and password; RDS changes it by itself."
  value       = aws_db_instance.this.master_user_secret[0].secret_arn
}

output "connection" {
  description = "Name of the Glue connection."
  value       = aws_glue_connection.network.name
}

output "subnet_ids" {
  description = "Private subnets."
  value       = [for subnet in aws_subnet.private : subnet.id]
}

output "client_security_group_id" {
  description = "Security group of whoever uses the database."
  value       = aws_security_group.client.id
}
