output "database" {
  description = "The database's name in the Data Catalog."
  value       = aws_glue_catalog_database.this.name
}

output "workgroup" {
  description = "The workgroup's name in Athena."
  value       = aws_athena_workgroup.this.name
}
