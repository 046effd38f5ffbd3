# Runs the jobs of a set, one after the other, and reports how it ended.

locals {
  machine_name = "${var.prefix}-sets"
  machine_arn  = "arn:${var.partition}:states:${local.arn}:stateMachine:${local.machine_name}"
  job_arns     = [for name in values(var.job_names) : "arn:${var.partition}:glue:${local.arn}:job/${name}"]

  definition = {
    Comment = "The jobs of one set, in sequence"
    StartAt = "Jobs"
    States = {
      Jobs = {
        Type           = "Map"
        ItemsPath      = "$.steps"
        MaxConcurrency = 1
        ItemProcessor = {
          ProcessorConfig = { Mode = "INLINE" }
          StartAt         = "Run job"
          States = {
            "Run job" = {
              Type     = "Task"
              Resource = "arn:${var.partition}:states:::glue:startJobRun.sync"
              Parameters = {
                "JobName.$"   = "$.job"
                "Arguments.$" = "$.arguments"
              }
              Retry = local.start_retries
              # A FLEX run that finds no capacity within 20 minutes fails before it has begun: nothing was read or sent yet.
              Catch          = [{ ErrorEquals = ["States.TaskFailed"], ResultPath = "$.failure", Next = "Had it begun" }]
              ResultSelector = { "run.$" = "$.Id" }
              End            = true
            }
            "Had it begun" = {
              Type = "Choice"
              Choices = [
                { Or = [for form in ["*\"ExecutionTime\":0,*", "*\"ExecutionTime\": 0,*", "*\"ExecutionTime\":0}*", "*\"ExecutionTime\": 0}*"] :
                { Variable = "$.failure.Cause", StringMatches = form }], Next = "Run job without waiting for spare capacity" },
              ]
              Default = "Job failed"
            }
            "Run job without waiting for spare capacity" = {
              Type     = "Task"
              Resource = "arn:${var.partition}:states:::glue:startJobRun.sync"
              Parameters = {
                "JobName.$"    = "$.job"
                "Arguments.$"  = "$.arguments"
                ExecutionClass = "STANDARD"
              }
              Retry          = local.start_retries
              ResultSelector = { "run.$" = "$.Id" }
              End            = true
            }
            "Job failed" = { Type = "Fail", "ErrorPath" = "$.failure.Error", "CausePath" = "$.failure.Cause" }
          }
        }
        ResultPath = "$.runs"
        Catch      = [{ ErrorEquals = ["States.ALL"], ResultPath = "$.error", Next = "Is it a job's failure" }]
        Next       = "Note success"
      }
      "Note success" = merge(local.note, {
        Parameters = merge(local.note_parameters, {
          ExpressionAttributeValues = { ":state" = { S = "succeeded" }, ":cause" = { S = "" } }
        })
        End = true
      })
      # The cause of a failed job is its whole description; a person needs its message.
      "Is it a job's failure" = {
        Type    = "Choice"
        Choices = [{ Variable = "$.error.Cause", StringMatches = "{*\"ErrorMessage\"*", Next = "Read cause" }]
        Default = "Which failure"
      }
      "Read cause"   = { Type = "Pass", Parameters = { "run.$" = "States.StringToJson($.error.Cause)" }, ResultPath = "$.described", Next = "Keep message" }
      "Keep message" = { Type = "Pass", Parameters = { "Cause.$" = "$.described.run.ErrorMessage" }, ResultPath = "$.error", Next = "Which failure" }
      "Which failure" = {
        Type    = "Choice"
        Choices = [{ Variable = "$.error.Cause", StringMatches = "*exit code 3*", Next = "Too many rejected" }, { Variable = "$.error.Cause", StringMatches = "*exit code 2*", Next = "Bad input" }]
        Default = "Failed"
      }
      "Too many rejected" = merge(local.advice, { Result = "More records were rejected than the job allows. See report.json and quarantine/ under the destination; mend the file and send it again, or raise --max-rejected and start the set again:" })
      "Bad input"         = merge(local.advice, { Result = "An input is missing, unreadable or lacks a column. Mend the file and send it again: that starts the set by itself. To start it as it is:" })
      "Failed"            = merge(local.advice, { Result = "The job failed. Its log group has the whole story. When the cause is gone, start the set again:" })
      "Tell" = {
        Type     = "Task"
        Resource = "arn:${var.partition}:states:::sns:publish"
        Parameters = {
          TopicArn    = var.topic_arn
          "Subject.$" = "States.Format('Set {} failed', $.set)"
          "Message.$" = "States.Format('Set {} (revision {}, run {}) failed.\n{}\nWhat to do: {}\n  make redrive SET={}', $.set, $.revision, $$.Execution.Name, $.error.Cause, $.advice, $.set)"
        }
        ResultPath = null
        Retry      = [{ ErrorEquals = ["States.ALL"], IntervalSeconds = 5, BackoffRate = 2, MaxAttempts = 3 }]
        Next       = "Note failure"
      }
      "Note failure" = merge(local.note, {
        Parameters = merge(local.note_parameters, {
          ExpressionAttributeValues = { ":state" = { S = "failed" }, ":cause" = { "S.$" = "$.error.Cause" } }
        })
        Next = "End with failure"
      })
      "End with failure" = { Type = "Fail", Error = "SetFailed", Cause = "A job of the set failed; see the alert." }
    }
  }

  # For a start that Glue refused, never for a run that failed.
  start_retries = [{
    ErrorEquals     = ["Glue.ConcurrentRunsExceededException", "Glue.ResourceNumberLimitExceededException", "Glue.InternalServiceException", "Glue.OperationTimeoutException", "Glue.ThrottlingException"]
    IntervalSeconds = 60
    BackoffRate     = 2
    MaxAttempts     = 6
    JitterStrategy  = "FULL"
  }]

  # One record a revision, so that a late end of an old revision never hides the state of a new one.
  note_parameters = {
    TableName                = "${var.prefix}-sets"
    Key                      = { id = { "S.$" = "States.Format('{}#r{}', $.set, $.revision)" } }
    UpdateExpression         = "SET #state = :state, cause = :cause"
    ExpressionAttributeNames = { "#state" = "state" }
  }
  note = {
    Type       = "Task"
    Resource   = "arn:${var.partition}:states:::dynamodb:updateItem"
    ResultPath = null
    Retry      = [{ ErrorEquals = ["States.ALL"], IntervalSeconds = 5, BackoffRate = 2, MaxAttempts = 3 }]
  }
  advice = { Type = "Pass", ResultPath = "$.advice", Next = "Tell" }
}

resource "aws_cloudwatch_log_group" "machine" {
  name              = "/aws/vendedlogs/states/${local.machine_name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_sfn_state_machine" "sets" {
  name       = local.machine_name
  role_arn   = aws_iam_role.machine.arn
  definition = jsonencode(local.definition)

  logging_configuration {
    level                  = "ALL"
    include_execution_data = true
    log_destination        = "${aws_cloudwatch_log_group.machine.arn}:*"
  }

  tracing_configuration {
    enabled = true
  }

  encryption_configuration {
    type                              = "CUSTOMER_MANAGED_KMS_KEY"
    kms_key_id                        = var.kms_key_arn
    kms_data_key_reuse_period_seconds = 300
  }

  depends_on = [aws_iam_role_policy.machine]
}

resource "aws_iam_role" "machine" {
  name = "${local.machine_name}-machine"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "states.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = var.account } }
    }]
  })
}

resource "aws_iam_role_policy" "machine" {
  name = "machine"
  role = aws_iam_role.machine.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "RunJobs"
        Effect   = "Allow"
        Action   = ["glue:StartJobRun", "glue:GetJobRun", "glue:GetJobRuns", "glue:BatchStopJobRun"]
        Resource = local.job_arns
      },
      {
        Sid      = "NoteState"
        Effect   = "Allow"
        Action   = ["dynamodb:UpdateItem"]
        Resource = [local.table_arn]
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
        Condition = { StringEquals = { "kms:ViaService" = [for service in ["sns", "dynamodb"] : "${service}.${var.region}.amazonaws.com"] } }
      },
      {
        Sid       = "OwnKey"
        Effect    = "Allow"
        Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource  = [var.kms_key_arn]
        Condition = { StringEquals = { "kms:EncryptionContext:aws:states:stateMachineArn" = local.machine_arn } }
      },
      {
        Sid       = "LogKey"
        Effect    = "Allow"
        Action    = ["kms:GenerateDataKey"]
        Resource  = [var.kms_key_arn]
        Condition = { StringEquals = { "kms:EncryptionContext:SourceArn" = "arn:${var.partition}:logs:${local.arn}:*" } }
      },
      {
        Sid    = "LogDelivery"
        Effect = "Allow"
        Action = ["logs:CreateLogDelivery", "logs:GetLogDelivery", "logs:UpdateLogDelivery", "logs:DeleteLogDelivery", "logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:DescribeResourcePolicies", "logs:DescribeLogGroups"]
        # The actions of log delivery know no resource.
        Resource = "*"
      },
      {
        Sid    = "Traces"
        Effect = "Allow"
        Action = ["xray:PutTraceSegments", "xray:PutTelemetryRecords", "xray:GetSamplingRules", "xray:GetSamplingTargets"]
        # X-Ray's actions know no resource.
        Resource = "*"
      },
    ]
  })
}
