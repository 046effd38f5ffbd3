# source bucket -> EventBridge -> queue -> function -> table of sets -> state machine

locals {
  arn             = "${var.region}:${var.account}"
  queue_arn       = "arn:${var.partition}:sqs:${local.arn}:${var.prefix}-arrivals"
  events_dead_arn = "arn:${var.partition}:sqs:${local.arn}:${var.prefix}-events-dead"
  table_arn       = "arn:${var.partition}:dynamodb:${local.arn}:table/${var.prefix}-sets"
  logs_arn        = "arn:${var.partition}:logs:${local.arn}:log-group"
  s3              = "arn:${var.partition}:s3:::${var.source_bucket}"
}

resource "aws_sqs_queue" "arrivals" {
  name              = "${var.prefix}-arrivals"
  kms_master_key_id = var.kms_key_arn
  # Six times the function's timeout, so that a message is not delivered once more while it is worked on.
  visibility_timeout_seconds = 180
  message_retention_seconds  = 345600
  redrive_policy             = jsonencode({ deadLetterTargetArn = aws_sqs_queue.dead.arn, maxReceiveCount = 5 })
}

resource "aws_sqs_queue" "dead" {
  name                      = "${var.prefix}-arrivals-dead"
  kms_master_key_id         = var.kms_key_arn
  message_retention_seconds = 1209600
}

resource "aws_sqs_queue_redrive_allow_policy" "dead" {
  queue_url            = aws_sqs_queue.dead.url
  redrive_allow_policy = jsonencode({ redrivePermission = "byQueue", sourceQueueArns = [aws_sqs_queue.arrivals.arn] })
}

# What EventBridge and the scheduler could not deliver.
resource "aws_sqs_queue" "events_dead" {
  name                      = "${var.prefix}-events-dead"
  kms_master_key_id         = var.kms_key_arn
  message_retention_seconds = 1209600
}

resource "aws_sqs_queue_policy" "arrivals" {
  # The rules of the alerts leave there what they could not deliver, too.
  for_each = {
    arrivals = { url = aws_sqs_queue.arrivals.url, arn = local.queue_arn, rules = ["arrivals"] }
    events   = { url = aws_sqs_queue.events_dead.url, arn = local.events_dead_arn, rules = ["arrivals", "job-state", "set-state"] }
  }

  queue_url = each.value.url
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Arrivals"
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sqs:SendMessage"
      Resource  = each.value.arn
      Condition = { ArnEquals = { "aws:SourceArn" = [for rule in each.value.rules : "arn:${var.partition}:events:${local.arn}:rule/${var.prefix}-${rule}"] } }
    }]
  })
}

resource "aws_cloudwatch_event_rule" "arrivals" {
  name        = "${var.prefix}-arrivals"
  description = "Files that arrive in the source bucket"

  event_pattern = jsonencode({
    source        = ["aws.s3"]
    "detail-type" = ["Object Created"]
    detail        = { bucket = { name = [var.source_bucket] } }
  })
}

resource "aws_cloudwatch_event_target" "arrivals" {
  rule = aws_cloudwatch_event_rule.arrivals.name
  arn  = aws_sqs_queue.arrivals.arn

  dead_letter_config {
    arn = aws_sqs_queue.events_dead.arn
  }

  retry_policy {
    maximum_event_age_in_seconds = 86400
    maximum_retry_attempts       = 185
  }

  depends_on = [aws_sqs_queue_policy.arrivals]
}

resource "aws_dynamodb_table" "sets" {
  name         = "${var.prefix}-sets"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "id"

  attribute {
    name = "id"
    type = "S"
  }

  ttl {
    attribute_name = "expires"
    enabled        = true
  }

  point_in_time_recovery {
    enabled = true
  }

  server_side_encryption {
    enabled     = true
    kms_key_arn = var.kms_key_arn
  }
}
