# HTTP API -> function -> DynamoDB and, where there is a database, PostgreSQL. Callers bring a key (x-api-key), which the function checks.

locals {
  function_name = "${var.prefix}-read-api"
  arn           = "${var.region}:${var.account}"
  has_database  = length(var.subnet_ids) > 0
  key_secret    = "${var.prefix}/read-api-key"
}

# Its value is put there by hand and changed by hand (docs/cloud.md), so that it is in no state file.
resource "aws_secretsmanager_secret" "key" {
  #checkov:skip=CKV2_AWS_57:callers hold this key: it is changed together with them, by aws secretsmanager put-secret-value
  name        = local.key_secret
  description = "What callers of the read API send as x-api-key"
  kms_key_id  = var.kms_key_arn
  # 0 deletes it at once: under its name no other could be made while the deleted one waits.
  recovery_window_in_days = var.force_destroy ? 0 : 7
}

resource "aws_cloudwatch_log_group" "function" {
  name              = "/aws/lambda/${local.function_name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_cloudwatch_log_group" "access" {
  name              = "/${var.prefix}/read-api"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_lambda_function" "api" {
  #checkov:skip=CKV_AWS_115:a new account has 10 concurrent executions in all and cannot reserve any; the API's stage limits the calls
  #checkov:skip=CKV_AWS_116:it is only ever called and answered; there is no event that could be lost
  #checkov:skip=CKV_AWS_117:it is in the database's network; without a database there is nothing to reach there
  #checkov:skip=CKV_AWS_272:the package is made by this repository and its hash is in the plan
  function_name                  = local.function_name
  description                    = "People, restaurants, car parks"
  role                           = aws_iam_role.api.arn
  filename                       = var.package
  source_code_hash               = filebase64sha256(var.package)
  handler                        = "services.api.app.handler"
  runtime                        = var.runtime
  architectures                  = ["x86_64"]
  memory_size                    = 512
  timeout                        = 15
  kms_key_arn                    = var.kms_key_arn
  reserved_concurrent_executions = var.reserved_concurrency

  environment {
    variables = merge(
      { API_KEY_SECRET_ARN = aws_secretsmanager_secret.key.arn, API_CONNECTIONS = "1" },
      { for job, table in var.lookup_tables : "${upper(job)}_TABLE" => table },
      local.has_database ? { DATABASE_URL = var.database_url, DATABASE_IAM_USER = var.database_user } : {},
      var.cache_url == "" ? {} : { CACHE_URL = var.cache_url, CACHE_SECRET_ARN = var.cache_secret_arn },
    )
  }

  dynamic "vpc_config" {
    for_each = local.has_database ? [1] : []

    content {
      subnet_ids         = var.subnet_ids
      security_group_ids = var.security_group_ids
    }
  }

  tracing_config {
    mode = "Active"
  }

  logging_config {
    log_format = "JSON"
    log_group  = aws_cloudwatch_log_group.function.name
  }

  depends_on = [aws_iam_role_policy.api]
}

resource "aws_apigatewayv2_api" "this" {
  name          = local.function_name
  protocol_type = "HTTP"
}

resource "aws_apigatewayv2_integration" "api" {
  api_id                 = aws_apigatewayv2_api.this.id
  integration_type       = "AWS_PROXY"
  integration_uri        = aws_lambda_function.api.invoke_arn
  payload_format_version = "2.0"
}

resource "aws_apigatewayv2_route" "all" {
  #checkov:skip=CKV_AWS_309:the function itself checks x-api-key, in constant time, for every route but /health
  api_id    = aws_apigatewayv2_api.this.id
  route_key = "GET /{path+}"
  target    = "integrations/${aws_apigatewayv2_integration.api.id}"
}

resource "aws_apigatewayv2_stage" "default" {
  api_id      = aws_apigatewayv2_api.this.id
  name        = "$default"
  auto_deploy = true

  default_route_settings {
    throttling_rate_limit    = var.requests_per_second
    throttling_burst_limit   = var.burst
    detailed_metrics_enabled = true
  }

  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.access.arn
    format = jsonencode({
      time      = "$context.requestTime"
      caller    = "$context.identity.sourceIp"
      method    = "$context.httpMethod"
      path      = "$context.path"
      status    = "$context.status"
      latency   = "$context.responseLatency"
      requestId = "$context.requestId"
    })
  }
}

resource "aws_lambda_permission" "api" {
  action         = "lambda:InvokeFunction"
  function_name  = aws_lambda_function.api.function_name
  principal      = "apigateway.amazonaws.com"
  source_arn     = "${aws_apigatewayv2_api.this.execution_arn}/*/*"
  source_account = var.account
}

resource "aws_iam_role" "api" {
  name = local.function_name

  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { Service = "lambda.amazonaws.com" }, Action = "sts:AssumeRole" }]
  })
}

resource "aws_iam_role_policy" "api" {
  name = "function"
  role = aws_iam_role.api.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          Sid      = "Lookups"
          Effect   = "Allow"
          Action   = ["dynamodb:GetItem", "dynamodb:Scan"]
          Resource = [for table in values(var.lookup_tables) : "arn:${var.partition}:dynamodb:${local.arn}:table/${table}"]
        },
        {
          Sid      = "Secrets"
          Effect   = "Allow"
          Action   = ["secretsmanager:GetSecretValue"]
          Resource = concat(["arn:${var.partition}:secretsmanager:${local.arn}:secret:${local.key_secret}-??????"], compact([var.cache_secret_arn]))
        },
        {
          Sid       = "Key"
          Effect    = "Allow"
          Action    = ["kms:Decrypt"]
          Resource  = [var.kms_key_arn]
          Condition = { StringEquals = { "kms:ViaService" = [for service in ["dynamodb", "secretsmanager", "lambda"] : "${service}.${var.region}.amazonaws.com"] } }
        },
        {
          Sid      = "Logs"
          Effect   = "Allow"
          Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
          Resource = ["arn:${var.partition}:logs:${local.arn}:log-group:/aws/lambda/${local.function_name}:*"]
        },
        {
          Sid    = "Traces"
          Effect = "Allow"
          Action = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]
          # X-Ray's writing actions know no resource.
          Resource = "*"
        },
      ],
      [for statement in [
        {
          # No password: a token that this role signs, for the one user that may only read.
          Sid      = "LogIn"
          Effect   = "Allow"
          Action   = ["rds-db:connect"]
          Resource = [var.database_login_arn]
        },
        {
          Sid    = "Network"
          Effect = "Allow"
          Action = ["ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", "ec2:DeleteNetworkInterface", "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses"]
          # Lambda makes the interfaces in the function's name and asks for exactly this; the function's own code is refused below.
          Resource = "*"
        },
        {
          Sid       = "NotByTheCodeItself"
          Effect    = "Deny"
          Action    = ["ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface", "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses"]
          Resource  = "*"
          Condition = { ArnEquals = { "lambda:SourceFunctionArn" = "arn:${var.partition}:lambda:${local.arn}:function:${local.function_name}" } }
        },
      ] : statement if local.has_database],
    )
  })
}
