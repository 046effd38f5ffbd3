locals {
  name      = "${var.project}-${var.environment}"
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  artifacts = jsondecode(file("${var.build}/artifacts.json"))
  # Buckets share one name space with the whole world: the account makes the names unique.
  buckets = { for kind in ["source", "destination", "artifacts", "logs"] : kind => "${local.name}-${local.account}-${kind}" }
  # The tag of quarantine, reports and whatever else lies under _runs/, in every job's results.
  run_files = "run-files"
  # The database's user that may only read; the people job makes it.
  reader = "people_reader"
  arn    = "${var.region}:${local.account}"
  # With a catalog, sets of the jobs that need it register their tables; runs by hand do so on request.
  sets = { for name, set in var.sets : name => merge(set, { arguments = merge(
    var.catalog != null && contains(try(var.jobs[set.job].needs, []), "catalog") ? { "--catalog" = local.database } : {},
    try(set.arguments["--format"], "") != "iceberg" ? {} : merge(
      { "--destination" = local.iceberg[set.job] },
      anytrue([for key in values(set.files) : strcontains(key, "{day}")]) ? { "--day" = "{day}" } : {},
    ),
    set.arguments,
  ) }) }
  # Tables of Iceberg have the rows of all days, and so one place.
  iceberg  = { for job in try(var.catalog.iceberg, []) : job => "s3://${local.buckets.destination}/${job}/tables" }
  database = join("", [for catalog in module.catalog : catalog.database])
}

module "logs_bucket" {
  source = "./modules/bucket"

  name                         = local.buckets.logs
  partition                    = local.partition
  force_destroy                = var.force_destroy
  expire_days                  = { "" = 90 }
  takes_access_logs_of_account = local.account
}

module "source_bucket" {
  source = "./modules/bucket"

  name              = local.buckets.source
  partition         = local.partition
  kms_key_arn       = aws_kms_key.this.arn
  force_destroy     = var.force_destroy
  expire_days       = { "" = var.source_retention_days }
  access_log_bucket = module.logs_bucket.name
  events            = true
  uploads           = { for name, partner in var.partners : name => { principal = "arn:${local.partition}:iam::${partner.account}:root", prefixes = partner.prefixes } }
}

module "destination_bucket" {
  source = "./modules/bucket"

  name              = local.buckets.destination
  expire_tagged     = { (local.run_files) = var.run_files_retention_days }
  partition         = local.partition
  kms_key_arn       = aws_kms_key.this.arn
  force_destroy     = var.force_destroy
  access_log_bucket = module.logs_bucket.name
}

module "artifacts_bucket" {
  source = "./modules/bucket"

  name              = local.buckets.artifacts
  partition         = local.partition
  kms_key_arn       = aws_kms_key.this.arn
  force_destroy     = var.force_destroy
  expire_days       = { "runs/" = 30 }
  access_log_bucket = module.logs_bucket.name
}

# Code, scripts and wheels of this release and of those before it that the build folder still has: a run under way, and a
# worker that joins it late, finds what it started with.
resource "aws_s3_object" "artifact" {
  for_each = fileset(var.build, "{code,jobs,wheels}/*")

  bucket      = module.artifacts_bucket.name
  key         = each.key
  source      = "${var.build}/${each.key}"
  source_hash = filesha256("${var.build}/${each.key}")

  # What goes, goes after the jobs have stopped naming it.
  lifecycle {
    create_before_destroy = true
  }
}

module "alerts" {
  source = "./modules/alerts"

  prefix                 = local.name
  account                = local.account
  partition              = local.partition
  region                 = var.region
  kms_key_arn            = aws_kms_key.this.arn
  emails                 = var.alert_emails
  jobs                   = { for name, job in module.job : name => job.name }
  queues                 = { messages = aws_sqs_queue.messages.name, arrivals = module.arrivals.queue }
  dead_letters           = { arrivals = module.arrivals.dead_letters, messages = aws_sqs_queue.messages_dead.name, events = module.arrivals.event_dead_letters }
  functions              = merge({ arrivals = module.arrivals.function }, { for api in module.read_api : "read_api" => api.function })
  state_machine          = module.arrivals.state_machine_arn
  event_dead_letters_arn = module.arrivals.event_dead_letters_arn
}

module "arrivals" {
  source = "./modules/arrivals"

  prefix               = local.name
  account              = local.account
  partition            = local.partition
  region               = var.region
  kms_key_arn          = aws_kms_key.this.arn
  package              = "${var.build}/${local.artifacts.arrivals}"
  source_bucket        = module.source_bucket.name
  destination_bucket   = module.destination_bucket.name
  topic_arn            = module.alerts.topic_arn
  job_names            = { for name in keys(var.jobs) : name => "${local.name}-${name}" }
  prefixes             = distinct(flatten([for job in values(var.jobs) : job.inputs]))
  sets                 = local.sets
  max_object_bytes     = var.max_object_bytes
  reference_files      = var.reference_files
  reserved_concurrency = var.reserved_concurrency.arrivals
  log_retention_days   = var.log_retention_days
}

module "read_api" {
  source = "./modules/read-api"
  count  = var.read_api ? 1 : 0

  prefix               = local.name
  account              = local.account
  partition            = local.partition
  region               = var.region
  kms_key_arn          = aws_kms_key.this.arn
  package              = "${var.build}/${local.artifacts.api}"
  lookup_tables        = { for name, table in aws_dynamodb_table.lookup : name => table.name }
  database_url         = local.database_url
  database_user        = var.database == null ? "" : local.reader
  database_login_arn   = join("", [for database in module.database : "${database.login_arn}/${local.reader}"])
  cache_url            = join("", [for cache in module.cache : cache.url])
  cache_secret_arn     = join("", [for cache in module.cache : cache.secret_arn])
  requests_per_second  = var.read_api_limits.requests_per_second
  burst                = var.read_api_limits.burst
  reserved_concurrency = var.reserved_concurrency.read_api
  force_destroy        = var.force_destroy
  subnet_ids           = flatten([for database in module.database : database.subnet_ids])
  security_group_ids   = flatten([for access in concat(module.database, module.cache) : access.client_security_group_id])
  log_retention_days   = var.log_retention_days
}

module "cache" {
  source = "./modules/cache"
  count  = var.cache == null ? 0 : 1

  prefix          = local.name
  kms_key_arn     = aws_kms_key.this.arn
  vpc_id          = one(module.database[*].vpc_id)
  subnet_ids      = flatten([for database in module.database : database.subnet_ids])
  storage_gb      = var.cache.storage_gb
  ecpu_per_second = var.cache.ecpu_per_second
  force_destroy   = var.force_destroy
}

module "catalog" {
  source = "./modules/catalog"
  count  = var.catalog == null ? 0 : 1

  prefix                 = local.name
  account                = local.account
  partition              = local.partition
  kms_key_arn            = aws_kms_key.this.arn
  access_log_bucket      = module.logs_bucket.name
  bytes_per_query        = var.catalog.bytes_per_query
  results_retention_days = var.catalog.results_retention_days
  force_destroy          = var.force_destroy
}

module "database" {
  source = "./modules/database"
  count  = var.database == null ? 0 : 1

  prefix              = local.name
  account             = local.account
  partition           = local.partition
  region              = var.region
  kms_key_arn         = aws_kms_key.this.arn
  log_retention_days  = var.log_retention_days
  cidr                = var.database.cidr
  zones               = var.database.availability_zone_count
  instance_class      = var.database.instance_class
  storage_gib         = var.database.storage_gib
  multi_az            = var.database.multi_az
  deletion_protection = var.database.deletion_protection
  backup_days         = var.database.backup_days
}

module "pipeline" {
  source = "./modules/pipeline"
  count  = var.delivery == null ? 0 : 1

  prefix             = local.name
  account            = local.account
  partition          = local.partition
  region             = var.region
  kms_key_arn        = aws_kms_key.this.arn
  artifacts_bucket   = module.artifacts_bucket.name
  state_bucket       = var.delivery.state_bucket
  connection_arn     = var.delivery.connection_arn
  repository         = var.delivery.repository
  branch             = var.delivery.branch
  topic_arn          = module.alerts.topic_arn
  project            = var.project
  log_retention_days = var.log_retention_days
}
