locals {
  function_name = "${var.prefix}-arrivals"
  environment = {
    SETS               = jsonencode(var.sets)
    JOBS               = jsonencode(var.job_names)
    SOURCE_BUCKET      = var.source_bucket
    DESTINATION_BUCKET = var.destination_bucket
    SETS_TABLE         = aws_dynamodb_table.sets.name
    STATE_MACHINE      = local.machine_arn
    TOPIC              = var.topic_arn
    MAX_OBJECT_BYTES   = tostring(var.max_object_bytes)
    REFERENCE_FILES    = jsonencode(var.reference_files)
  }
}

resource "aws_cloudwatch_log_group" "function" {
  name              = "/aws/lambda/${local.function_name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_lambda_function" "arrivals" {
  #checkov:skip=CKV_AWS_115:a new account has 10 concurrent executions in all and cannot reserve any; the queue's mapping limits this function
  #checkov:skip=CKV_AWS_117:it calls AWS interfaces only and holds no data; a network of its own would add nothing
  #checkov:skip=CKV_AWS_272:the package is made by this repository and its hash is in the plan
  function_name                  = local.function_name
  description                    = "Takes arrivals, starts complete sets, reports missing files"
  role                           = aws_iam_role.function.arn
  filename                       = var.package
  source_code_hash               = filebase64sha256(var.package)
  handler                        = "services.arrivals.function.handler"
  runtime                        = var.runtime
  architectures                  = ["arm64"]
  memory_size                    = 256
  timeout                        = 30
  kms_key_arn                    = var.kms_key_arn
  reserved_concurrent_executions = var.reserved_concurrency

  environment {
    variables = local.environment
  }

  tracing_config {
    mode = "Active"
  }

  dead_letter_config {
    target_arn = aws_sqs_queue.events_dead.arn
  }

  logging_config {
    log_format = "JSON"
    log_group  = aws_cloudwatch_log_group.function.name
  }

  depends_on = [aws_iam_role_policy.function]
}

resource "aws_lambda_event_source_mapping" "arrivals" {
  event_source_arn        = aws_sqs_queue.arrivals.arn
  function_name           = aws_lambda_function.arrivals.arn
  batch_size              = 10
  function_response_types = ["ReportBatchItemFailures"]

  scaling_config {
    maximum_concurrency = 5
  }
}

resource "aws_iam_role" "function" {
  name = local.function_name

  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { Service = "lambda.amazonaws.com" }, Action = "sts:AssumeRole" }]
  })
}

resource "aws_iam_role_policy" "function" {
  name = "function"
  role = aws_iam_role.function.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "TakeArrivals"
        Effect   = "Allow"
        Action   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
        Resource = [local.queue_arn]
      },
      {
        Sid      = "DeadLetters"
        Effect   = "Allow"
        Action   = ["sqs:SendMessage"]
        Resource = [local.events_dead_arn]
      },
      {
        Sid      = "LookAtFiles"
        Effect   = "Allow"
        Action   = ["s3:GetObject", "s3:GetObjectVersion"]
        Resource = [for prefix in var.prefixes : "${local.s3}/${prefix}*"]
      },
      {
        # Without it S3 says "forbidden" of an object that is not there.
        Sid       = "ListFiles"
        Effect    = "Allow"
        Action    = ["s3:ListBucket"]
        Resource  = [local.s3]
        Condition = { StringLike = { "s3:prefix" = [for prefix in var.prefixes : "${prefix}*"] } }
      },
      {
        Sid      = "Sets"
        Effect   = "Allow"
        Action   = ["dynamodb:GetItem", "dynamodb:UpdateItem"]
        Resource = [local.table_arn]
      },
      {
        Sid      = "StartSets"
        Effect   = "Allow"
        Action   = ["states:StartExecution"]
        Resource = [local.machine_arn]
      },
      {
        Sid      = "Alerts"
        Effect   = "Allow"
        Action   = ["sns:Publish"]
        Resource = [var.topic_arn]
      },
      {
        Sid       = "Key"
        Effect    = "Allow"
        Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource  = [var.kms_key_arn]
        Condition = { StringEquals = { "kms:ViaService" = [for service in ["s3", "sqs", "sns", "dynamodb", "lambda"] : "${service}.${var.region}.amazonaws.com"] } }
      },
      {
        Sid      = "Logs"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = ["${local.logs_arn}:/aws/lambda/${local.function_name}:*"]
      },
      {
        Sid    = "Traces"
        Effect = "Allow"
        Action = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]
        # X-Ray's writing actions know no resource.
        Resource = "*"
      },
    ]
  })
}
