output "topic_arn" {
  description = "The topic of all alerts."
  value       = local.topic_arn
  depends_on  = [aws_sns_topic_policy.alerts]
}

output "dashboard" {
  description = "Name of the dashboard."
  value       = aws_cloudwatch_dashboard.this.dashboard_name
}
