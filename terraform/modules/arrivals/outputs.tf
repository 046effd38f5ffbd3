output "queue" {
  description = "Name of the queue of arrivals."
  value       = aws_sqs_queue.arrivals.name
}

output "dead_letters" {
  description = "Name of the queue of arrivals that could not be handled."
  value       = aws_sqs_queue.dead.name
}

output "event_dead_letters" {
  description = "Name of the queue of events that could not be delivered."
  value       = aws_sqs_queue.events_dead.name
}

output "event_dead_letters_arn" {
  description = "ARN of that queue."
  value       = aws_sqs_queue.events_dead.arn
  depends_on  = [aws_sqs_queue_policy.arrivals]
}

output "function" {
  description = "Name of the function."
  value       = aws_lambda_function.arrivals.function_name
}

output "state_machine_arn" {
  description = "The state machine that runs sets."
  value       = local.machine_arn
}

output "schedule_inputs" {
  description = "What the scheduler sends to the function, by set."
  value       = local.inputs
}

output "sets_table" {
  description = "Name of the table of sets."
  value       = aws_dynamodb_table.sets.name
}
