# From a commit to dev, and behind an approval to prod. CodeBuild runs Terraform as buildspec.yml says.

locals {
  name   = "${var.prefix}-delivery"
  arn    = "${var.region}:${var.account}"
  stages = ["dev", "prod"]
  # Where each environment keeps its releases.
  releases = { for stage in local.stages : stage => "${var.project}-${stage}-${var.account}-artifacts" }
}

resource "aws_codebuild_project" "deploy" {
  for_each = toset(local.stages)

  name           = "${local.name}-${each.key}"
  description    = "Plans and applies ${each.key}"
  service_role   = aws_iam_role.build[each.key].arn
  encryption_key = var.kms_key_arn
  build_timeout  = 60

  source {
    type      = "CODEPIPELINE"
    buildspec = file("${path.module}/buildspec.yml")
  }

  artifacts {
    type = "CODEPIPELINE"
  }

  environment {
    type         = "LINUX_CONTAINER"
    compute_type = "BUILD_GENERAL1_MEDIUM"
    image        = "aws/codebuild/amazonlinux-x86_64-standard:5.0"

    environment_variable {
      name  = "DEPLOY_TO"
      value = each.key
    }

    environment_variable {
      name  = "STATE_BUCKET"
      value = var.state_bucket
    }

    environment_variable {
      name  = "ARTIFACTS_BUCKET"
      value = local.releases[each.key]
    }

    environment_variable {
      name  = "DEPLOYER_ROLE"
      value = "arn:${var.partition}:iam::${var.account}:role/${var.project}-${each.key}-deployer"
    }
  }

  logs_config {
    cloudwatch_logs {
      group_name = aws_cloudwatch_log_group.build[each.key].name
    }
  }
}

resource "aws_cloudwatch_log_group" "build" {
  for_each = toset(local.stages)

  name              = "/${var.prefix}/delivery/${each.key}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_codepipeline" "this" {
  name          = local.name
  role_arn      = aws_iam_role.pipeline.arn
  pipeline_type = "V2"

  artifact_store {
    type     = "S3"
    location = var.artifacts_bucket

    encryption_key {
      id   = var.kms_key_arn
      type = "KMS"
    }
  }

  stage {
    name = "Source"

    action {
      name             = "Source"
      category         = "Source"
      owner            = "AWS"
      provider         = "CodeStarSourceConnection"
      version          = "1"
      output_artifacts = ["source"]

      configuration = {
        ConnectionArn    = var.connection_arn
        FullRepositoryId = var.repository
        BranchName       = var.branch
      }
    }
  }

  stage {
    name = "Dev"

    action {
      name            = "Deploy"
      category        = "Build"
      owner           = "AWS"
      provider        = "CodeBuild"
      version         = "1"
      input_artifacts = ["source"]

      configuration = {
        ProjectName = aws_codebuild_project.deploy["dev"].name
      }
    }
  }

  stage {
    name = "Approval"

    action {
      name     = "Approve"
      category = "Approval"
      owner    = "AWS"
      provider = "Manual"
      version  = "1"

      configuration = {
        NotificationArn = var.topic_arn
        CustomData      = "dev is deployed. Look at it, then let prod follow."
      }
    }
  }

  stage {
    name = "Prod"

    action {
      name            = "Deploy"
      category        = "Build"
      owner           = "AWS"
      provider        = "CodeBuild"
      version         = "1"
      input_artifacts = ["source"]

      configuration = {
        ProjectName = aws_codebuild_project.deploy["prod"].name
      }
    }
  }
}
