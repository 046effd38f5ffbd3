# At its hour each set is checked: missing files are reported by name.

locals {
  expected = { for name, set in var.sets : name => set if set.expected_at != null }
  # Not by jsonencode: it writes < and > as \u003c and \u003e, which the scheduler does not take for its own words.
  inputs = { for name, set in local.expected : name => "{\"missing\": \"${name}\", \"time\": \"<aws.scheduler.scheduled-time>\"}" }
}

resource "aws_scheduler_schedule_group" "sets" {
  name = "${var.prefix}-sets"
}

resource "aws_scheduler_schedule" "missing" {
  for_each = local.expected

  name                         = "${var.prefix}-missing-${each.key}"
  group_name                   = aws_scheduler_schedule_group.sets.name
  description                  = "Is the day's set of ${each.key} complete?"
  schedule_expression          = "cron(${tonumber(split(":", each.value.expected_at)[1])} ${tonumber(split(":", each.value.expected_at)[0])} * * ? *)"
  schedule_expression_timezone = "UTC"
  kms_key_arn                  = var.kms_key_arn

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = aws_lambda_function.arrivals.arn
    role_arn = aws_iam_role.schedule.arn
    input    = local.inputs[each.key]

    retry_policy {
      maximum_event_age_in_seconds = 3600
      maximum_retry_attempts       = 10
    }

    dead_letter_config {
      arn = aws_sqs_queue.events_dead.arn
    }
  }
}

resource "aws_iam_role" "schedule" {
  name = "${var.prefix}-schedule"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "scheduler.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = var.account } }
    }]
  })
}

resource "aws_iam_role_policy" "schedule" {
  name = "schedule"
  role = aws_iam_role.schedule.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "AskFunction"
        Effect   = "Allow"
        Action   = ["lambda:InvokeFunction"]
        Resource = ["arn:${var.partition}:lambda:${local.arn}:function:${local.function_name}"]
      },
      {
        Sid      = "DeadLetters"
        Effect   = "Allow"
        Action   = ["sqs:SendMessage"]
        Resource = [local.events_dead_arn]
      },
      {
        Sid       = "Key"
        Effect    = "Allow"
        Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource  = [var.kms_key_arn]
        Condition = { StringEquals = { "kms:ViaService" = [for service in ["sqs", "scheduler"] : "${service}.${var.region}.amazonaws.com"] } }
      },
    ]
  })
}
