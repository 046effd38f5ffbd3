locals {
  # Another endpoint than AWS itself: a local stand-in, for rehearsals. Empty in every real environment.
  endpoint = var.endpoint == "" ? null : var.endpoint
}

provider "aws" {
  region     = var.region
  access_key = var.endpoint == "" ? null : "testing"
  secret_key = var.endpoint == "" ? null : "testing"

  skip_credentials_validation = var.endpoint != ""
  skip_metadata_api_check     = var.endpoint != ""
  skip_region_validation      = var.endpoint != ""
  s3_use_path_style           = var.endpoint != ""
  max_retries                 = 5

  # The deployment pipeline becomes this role; people use their own.
  dynamic "assume_role" {
    for_each = var.deployer_role_arn == "" ? [] : [var.deployer_role_arn]

    content {
      role_arn = assume_role.value
    }
  }

  endpoints {
    apigatewayv2   = local.endpoint
    athena         = local.endpoint
    cloudwatch     = local.endpoint
    codebuild      = local.endpoint
    codepipeline   = local.endpoint
    dynamodb       = local.endpoint
    ec2            = local.endpoint
    events         = local.endpoint
    glue           = local.endpoint
    iam            = local.endpoint
    kms            = local.endpoint
    lambda         = local.endpoint
    logs           = local.endpoint
    rds            = local.endpoint
    s3             = local.endpoint
    s3control      = local.endpoint
    scheduler      = local.endpoint
    secretsmanager = local.endpoint
    sfn            = local.endpoint
    sns            = local.endpoint
    sqs            = local.endpoint
    ssm            = local.endpoint
    sts            = local.endpoint
  }

  default_tags {
    tags = {
      project     = var.project
      environment = var.environment
    }
  }
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}
