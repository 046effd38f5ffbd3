# Alerts: one topic, rules for what Glue and Step Functions report, alarms on queues and functions.

locals {
  topic_arn = "arn:${var.partition}:sns:${var.region}:${var.account}:${var.prefix}-alerts"
  rule_arns = [for rule in ["job-state", "set-state"] : "arn:${var.partition}:events:${var.region}:${var.account}:rule/${var.prefix}-${rule}"]
}

resource "aws_sns_topic" "alerts" {
  name              = "${var.prefix}-alerts"
  kms_master_key_id = var.kms_key_arn
}

resource "aws_sns_topic_policy" "alerts" {
  arn = aws_sns_topic.alerts.arn

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "Rules"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = "sns:Publish"
        Resource  = local.topic_arn
        Condition = { ArnEquals = { "aws:SourceArn" = local.rule_arns } }
      },
      {
        Sid       = "Alarms"
        Effect    = "Allow"
        Principal = { Service = "cloudwatch.amazonaws.com" }
        Action    = "sns:Publish"
        Resource  = local.topic_arn
        Condition = { StringEquals = { "aws:SourceAccount" = var.account } }
      },
      {
        Sid       = "TlsOnly"
        Effect    = "Deny"
        Principal = { AWS = "*" }
        Action    = "sns:Publish"
        Resource  = local.topic_arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}

resource "aws_sns_topic_subscription" "email" {
  for_each = var.emails

  topic_arn = aws_sns_topic.alerts.arn
  protocol  = "email"
  endpoint  = each.key
}

# Every run of a job that does not succeed, whoever started it.
resource "aws_cloudwatch_event_rule" "job_state" {
  name        = "${var.prefix}-job-state"
  description = "Runs of jobs that failed, took too long or were stopped"

  event_pattern = jsonencode({
    source        = ["aws.glue"]
    "detail-type" = ["Glue Job State Change"]
    detail        = { state = ["FAILED", "TIMEOUT", "STOPPED"], jobName = values(var.jobs) }
  })
}

resource "aws_cloudwatch_event_target" "job_state" {
  rule = aws_cloudwatch_event_rule.job_state.name
  arn  = aws_sns_topic.alerts.arn

  input_transformer {
    input_paths = { job = "$.detail.jobName", state = "$.detail.state", run = "$.detail.jobRunId" }
    # Values are put into the template as they are, unescaped. So a text of anybody's making comes with the whole event, as JSON.
    input_template = <<-EOT
      {
        "alert": "Job <job>: <state>. Run <run>.",
        "what to do": "See detail.message. Exit code 2 is an input (mend the file and send it again), 3 is too many rejected records (see report.json and quarantine/ of the run), 1 is in the log groups under /${var.prefix}/jobs/. A set's own alert has the line that starts it again.",
        "event": <aws.events.event.json>
      }
    EOT
  }

  dead_letter_config {
    arn = var.event_dead_letters_arn
  }
}

# Sets whose run did not succeed, also when the state machine itself could not report it.
resource "aws_cloudwatch_event_rule" "set_state" {
  name        = "${var.prefix}-set-state"
  description = "Runs of sets that failed, took too long or were stopped"

  event_pattern = jsonencode({
    source        = ["aws.states"]
    "detail-type" = ["Step Functions Execution Status Change"]
    detail        = { status = ["FAILED", "TIMED_OUT", "ABORTED"], stateMachineArn = [var.state_machine] }
  })
}

resource "aws_cloudwatch_event_target" "set_state" {
  rule = aws_cloudwatch_event_rule.set_state.name
  arn  = aws_sns_topic.alerts.arn

  input_transformer {
    input_paths    = { name = "$.detail.name", status = "$.detail.status" }
    input_template = "\"Run <name> of a set: <status>. What to do: see whether its job still runs, then start the set again with make redrive SET=...\""
  }

  dead_letter_config {
    arn = var.event_dead_letters_arn
  }
}

resource "aws_cloudwatch_metric_alarm" "dead_letters" {
  for_each = var.dead_letters

  alarm_name          = "${var.prefix}-dead-letters-${each.key}"
  alarm_description   = "Messages in ${each.value} could not be handled. What to do: read the function's log, mend the cause, then move them back with aws sqs start-message-move-task (docs/cloud.md)."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = each.value }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 1
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alerts.arn]
  ok_actions          = [aws_sns_topic.alerts.arn]
}

resource "aws_cloudwatch_metric_alarm" "waiting" {
  for_each = var.queues

  alarm_name          = "${var.prefix}-waiting-${each.key}"
  alarm_description   = "Messages in ${each.value} have waited for more than an hour: nobody takes them."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateAgeOfOldestMessage"
  dimensions          = { QueueName = each.value }
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 1
  threshold           = 3600
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alerts.arn]
}

resource "aws_cloudwatch_metric_alarm" "errors" {
  for_each = var.functions

  alarm_name          = "${var.prefix}-errors-${each.key}"
  alarm_description   = "The function ${each.value} failed. What to do: read its log group; events are tried again, then kept as dead letters."
  namespace           = "AWS/Lambda"
  metric_name         = "Errors"
  dimensions          = { FunctionName = each.value }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alerts.arn]
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = var.prefix
  dashboard_body = jsonencode({ widgets = local.widgets })
}
