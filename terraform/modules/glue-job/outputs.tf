output "name" {
  description = "The job's name in Glue."
  value       = aws_glue_job.this.name
}

output "arn" {
  description = "The job's ARN."
  value       = "arn:${var.partition}:glue:${var.region}:${var.account}:job/${local.full_name}"
}

output "role" {
  description = "Name of the job's role."
  value       = aws_iam_role.this.name
}

output "log_groups" {
  description = "Names of the job's log groups."
  value       = [for group in aws_cloudwatch_log_group.this : group.name]
}
