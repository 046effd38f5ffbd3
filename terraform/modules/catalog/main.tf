# The database of published tables in the Glue Data Catalog, and an Athena workgroup to query them.

locals {
  # Athena takes letters, digits and underscores.
  database = replace(var.prefix, "-", "_")
  results  = "${var.prefix}-${var.account}-queries"
}

resource "aws_glue_catalog_database" "this" {
  name        = local.database
  description = "Tables that the jobs register with --catalog"
}

module "results_bucket" {
  source = "../bucket"

  name              = local.results
  partition         = var.partition
  kms_key_arn       = var.kms_key_arn
  force_destroy     = var.force_destroy
  expire_days       = { "" = var.results_retention_days }
  access_log_bucket = var.access_log_bucket
}

resource "aws_athena_workgroup" "this" {
  name          = var.prefix
  description   = "Queries of the published tables"
  force_destroy = var.force_destroy

  configuration {
    # What a client sets for itself is ignored: place, encryption and limit are these.
    enforce_workgroup_configuration    = true
    publish_cloudwatch_metrics_enabled = true
    bytes_scanned_cutoff_per_query     = var.bytes_per_query

    engine_version {
      selected_engine_version = "Athena engine version 3"
    }

    result_configuration {
      output_location       = "s3://${module.results_bucket.name}/"
      expected_bucket_owner = var.account

      encryption_configuration {
        encryption_option = "SSE_KMS"
        kms_key_arn       = var.kms_key_arn
      }
    }
  }
}
