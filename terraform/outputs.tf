output "buckets" {
  description = "Names of the buckets."
  value       = local.buckets
}

output "upload" {
  description = "How a file arrives."
  value       = { for name, set in var.sets : name => [for key in values(set.files) : "aws s3 cp FILE s3://${local.buckets.source}/${key}"] }
}

output "start" {
  description = "How a job is started by hand; in the console: Glue, ETL jobs, the job's name, Run with parameters."
  value       = { for name, job in module.job : name => "aws glue start-job-run --region ${var.region} --job-name ${job.name} --arguments '${local.example_arguments[name]}'" }
}

output "results" {
  description = "Where a job's results appear: by day for a set, under manual/ for a run by hand."
  value       = { for name in keys(var.jobs) : name => "s3://${local.buckets.destination}/${name}/" }
}

output "jobs" {
  description = "Names of the jobs in Glue."
  value       = { for name, job in module.job : name => job.name }
}

output "roles" {
  description = "Names of the jobs' roles."
  value       = { for name, job in module.job : name => job.role }
}

output "messages_queue_url" {
  description = "Queue of customer_orders."
  value       = aws_sqs_queue.messages.url
}

output "lookup_tables" {
  description = "Tables of the lookups, by job."
  value       = { for name, table in aws_dynamodb_table.lookup : name => table.name }
}

output "catalog" {
  description = "The Data Catalog's database, the Athena workgroup, and the destination of each job with tables of Iceberg; empty without them."
  value       = { database = local.database, workgroup = join("", [for catalog in module.catalog : catalog.workgroup]), iceberg = local.iceberg }
}

output "arrivals_function" {
  description = "The function that takes arrivals and redrives."
  value       = module.arrivals.function
}

output "sets_table" {
  description = "Table of the sets, one item per set and day and one per revision."
  value       = module.arrivals.sets_table
}

output "arrivals_dead_letters" {
  description = "Queue of arrivals that could not be handled."
  value       = module.arrivals.dead_letters
}

output "schedules" {
  description = "What the scheduler sends to the arrivals function, by set."
  value       = module.arrivals.schedule_inputs
}

output "alerts_topic" {
  description = "Topic of the alerts."
  value       = module.alerts.topic_arn
}

output "dashboard" {
  description = "Name of the dashboard."
  value       = module.alerts.dashboard
}

output "read_api_url" {
  description = "Address of the read API; empty without it."
  value       = join("", [for api in module.read_api : api.url])
}
