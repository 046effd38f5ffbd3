# All jobs from one map: var.jobs, sized by var.job_sizes.

locals {
  sized = { for name, job in var.jobs : name => merge(job, { for field, value in try(var.job_sizes[name], {}) : field => value if value != null }) }

  database_url      = join("", [for database in module.database : database.url])
  writer_secret_arn = join("", [for database in module.database : database.secret_arn])
  lookup_jobs       = toset([for name, job in var.jobs : name if contains(job.needs, "lookup")])

  filled = { for name, job in local.sized : name => { for option, value in job.arguments : option =>
    replace(replace(replace(replace(replace(replace(value,
      "{source}", "s3://${local.buckets.source}"),
      "{destination}", "s3://${local.buckets.destination}"),
      "{queue_url}", aws_sqs_queue.messages.url),
      "{lookup_table}", "${local.name}-lookup-${name}"),
      "{database_url}", local.database_url),
    "{reader}", var.database == null ? "" : local.reader)
  } }

  # Where there is no database, people writes its file only.
  arguments = { for name, options in local.filled : name => { for option, value in options : option => value if value != "" } }

  # What a run by hand is given: the files of the job's set.
  example_files     = { for name in keys(var.jobs) : name => merge([for set in values(var.sets) : set.files if set.job == name]...) }
  example_arguments = { for name, files in local.example_files : name => jsonencode({ for input, key in files : "--${input}" => "s3://${local.buckets.source}/${replace(key, "{day}", "YYYYMMDD")}" }) }
}

module "job" {
  source   = "./modules/glue-job"
  for_each = local.sized

  name                   = each.key
  prefix                 = local.name
  account                = local.account
  partition              = local.partition
  region                 = var.region
  script_key             = aws_s3_object.artifact[local.artifacts.scripts[each.key]].key
  run_files_tag          = local.run_files
  environment            = contains(each.value.needs, "database") && var.database != null ? { DATABASE_SECRET_ARN = local.writer_secret_arn } : {}
  buckets                = { for kind in ["source", "destination", "artifacts"] : kind => local.buckets[kind] }
  inputs                 = each.value.inputs
  results_of             = each.value.results_of
  kms_key_arn            = aws_kms_key.this.arn
  code_key               = aws_s3_object.artifact[local.artifacts.code].key
  wheel_keys             = sort(distinct(flatten([for wheel in concat(each.value.wheels, contains(keys(local.iceberg), each.key) ? ["iceberg"] : []) : [for file in local.artifacts.wheels[wheel] : aws_s3_object.artifact[file].key]])))
  arguments              = local.arguments[each.key]
  security_configuration = aws_glue_security_configuration.this.name
  glue_version           = var.glue_version
  worker_type            = each.value.worker_type
  max_workers            = each.value.max_workers
  timeout_minutes        = each.value.timeout_minutes
  flex                   = each.value.flex
  log_retention_days     = var.log_retention_days
  queue_arn              = contains(each.value.needs, "queue") ? "arn:${local.partition}:sqs:${local.arn}:${local.name}-messages" : ""
  lookup_table_arn       = contains(each.value.needs, "lookup") ? "arn:${local.partition}:dynamodb:${local.arn}:table/${local.name}-lookup-${each.key}" : ""
  database_secret_arn    = contains(each.value.needs, "database") ? local.writer_secret_arn : ""
  catalog_database       = contains(each.value.needs, "catalog") ? local.database : ""
  iceberg                = contains(keys(local.iceberg), each.key)
  connections            = contains(each.value.needs, "database") ? [for database in module.database : database.connection] : []
  subnet_ids             = contains(each.value.needs, "database") ? flatten([for database in module.database : database.subnet_ids]) : []
  security_group_ids     = contains(each.value.needs, "database") ? [for database in module.database : database.client_security_group_id] : []

  # The names in the script's and the code's keys do not make the buckets wait for their policies.
  depends_on = [module.artifacts_bucket]
}

resource "aws_glue_security_configuration" "this" {
  name = local.name

  encryption_configuration {
    cloudwatch_encryption {
      cloudwatch_encryption_mode = "SSE-KMS"
      kms_key_arn                = aws_kms_key.this.arn
    }

    job_bookmarks_encryption {
      job_bookmarks_encryption_mode = "CSE-KMS"
      kms_key_arn                   = aws_kms_key.this.arn
    }

    s3_encryption {
      s3_encryption_mode = "SSE-KMS"
      kms_key_arn        = aws_kms_key.this.arn
    }
  }
}

# Messages of customer_orders. Standard, not FIFO: order does not matter and ids make a second delivery harmless.
resource "aws_sqs_queue" "messages" {
  name                       = "${local.name}-messages"
  kms_master_key_id          = aws_kms_key.this.arn
  message_retention_seconds  = 1209600
  visibility_timeout_seconds = 60
  redrive_policy             = jsonencode({ deadLetterTargetArn = aws_sqs_queue.messages_dead.arn, maxReceiveCount = 5 })
}

resource "aws_sqs_queue" "messages_dead" {
  name                      = "${local.name}-messages-dead"
  kms_master_key_id         = aws_kms_key.this.arn
  message_retention_seconds = 1209600
}

resource "aws_sqs_queue_redrive_allow_policy" "messages_dead" {
  queue_url = aws_sqs_queue.messages_dead.url
  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [aws_sqs_queue.messages.arn]
  })
}

# One table a job: filled by the job (--lookup-table), read by the API.
resource "aws_dynamodb_table" "lookup" {
  for_each = local.lookup_jobs

  name         = "${local.name}-lookup-${each.key}"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "id"

  attribute {
    name = "id"
    type = "S"
  }

  point_in_time_recovery {
    enabled = true
  }

  server_side_encryption {
    enabled     = true
    kms_key_arn = aws_kms_key.this.arn
  }
}
