# One Glue job: its script, its role, its log groups.

locals {
  full_name  = "${var.prefix}-${var.name}"
  s3         = "arn:${var.partition}:s3:::"
  role_name  = "${local.full_name}-job"
  log_prefix = "/${var.prefix}/jobs/${var.name}"
  # Glue 5 puts the security configuration and the role into the groups' names when it encrypts logs ("Logging for AWS Glue jobs").
  log_groups = "${local.log_prefix}/${var.security_configuration}-role/${local.role_name}"
  run_prefix = "runs/${var.name}"
  logs       = "arn:${var.partition}:logs:${var.region}:${var.account}:log-group:${local.log_prefix}"

  arguments = merge(
    {
      "--job-language"   = "python"
      "--TempDir"        = "s3://${var.buckets.artifacts}/${local.run_prefix}/temp/"
      "--extra-py-files" = "s3://${var.buckets.artifacts}/${var.code_key}"
      # S3A (Spark's event logs) goes to us-east-2 without a region; boto3 in tasks needs one too.
      "--conf"                             = "spark.hadoop.fs.s3a.endpoint.region=${var.region} --conf spark.executorEnv.AWS_DEFAULT_REGION=${var.region} --conf spark.executorEnv.RUN_FILES_TAG=${var.run_files_tag}"
      "--customer-driver-env-vars"         = join(",", [for name, value in merge({ AWS_DEFAULT_REGION = var.region, RUN_FILES_TAG = var.run_files_tag }, var.environment) : "CUSTOMER_${name}=${value}"])
      "--enable-auto-scaling"              = "true"
      "--enable-metrics"                   = "true"
      "--enable-observability-metrics"     = "true"
      "--enable-job-insights"              = "true"
      "--enable-continuous-cloudwatch-log" = "true"
      "--enable-continuous-log-filter"     = "true"
      "--custom-logGroup-prefix"           = local.log_prefix
      "--enable-spark-ui"                  = "true"
      "--spark-event-logs-path"            = "s3://${var.buckets.artifacts}/${local.run_prefix}/events/"
      "--destination"                      = "s3://${var.buckets.destination}/${var.name}/manual"
    },
    length(var.wheel_keys) == 0 ? {} : {
      "--additional-python-modules" = join(",", [for key in var.wheel_keys : "s3://${var.buckets.artifacts}/${key}"])
      # Everything a job needs lies in the artifacts bucket: nothing is fetched from outside when it starts.
      "--python-modules-installer-option" = "--no-index --no-deps"
    },
    var.arguments,
  )
}

resource "aws_cloudwatch_log_group" "this" {
  for_each = toset(["error", "output"])

  name              = "${local.log_groups}/${each.key}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_glue_job" "this" {
  name                    = local.full_name
  description             = "jobs/${var.name}.py"
  role_arn                = aws_iam_role.this.arn
  glue_version            = var.glue_version
  worker_type             = var.worker_type
  number_of_workers       = var.max_workers
  timeout                 = var.timeout_minutes
  execution_class         = var.flex ? "FLEX" : "STANDARD"
  security_configuration  = var.security_configuration
  connections             = var.connections
  job_run_queuing_enabled = true
  default_arguments       = local.arguments

  # Runs are started again by the state machine or by a person, never by both: one layer of retries.
  max_retries = 0

  command {
    name            = "glueetl"
    script_location = "s3://${var.buckets.artifacts}/${var.script_key}"
    python_version  = "3"
  }

  # One run at a time; the next one waits in Glue's queue.
  execution_property {
    max_concurrent_runs = 1
  }

  notification_property {
    notify_delay_after = var.notify_after_minutes
  }

  depends_on = [aws_iam_role_policy.this, aws_cloudwatch_log_group.this]
}
