output "url" {
  description = "Address of the database, without user and password; its certificate is checked against those of AWS that the code brings."
  value       = "postgresql://${aws_db_instance.this.address}:${aws_db_instance.this.port}/${aws_db_instance.this.db_name}?sslmode=verify-full&sslrootcert=rds"
}

output "secret_arn" {
  description = "Secret with user and password; RDS changes it by itself."
  value       = aws_db_instance.this.master_user_secret[0].secret_arn
}

output "login_arn" {
  description = "ARN of the database's users for rds-db:connect, without the last part, the user."
  value       = "arn:${var.partition}:rds-db:${var.region}:${var.account}:dbuser:${aws_db_instance.this.resource_id}"
}

output "connection" {
  description = "Name of the Glue connection."
  value       = aws_glue_connection.network.name
}

output "vpc_id" {
  description = "The network."
  value       = aws_vpc.this.id
}

output "subnet_ids" {
  description = "Private subnets."
  value       = [for subnet in aws_subnet.private : subnet.id]
}

output "client_security_group_id" {
  description = "Security group of whoever uses the database."
  value       = aws_security_group.client.id
}
