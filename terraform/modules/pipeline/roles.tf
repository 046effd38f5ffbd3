# The pipeline hands on; only the two builds change anything, and each only what carries its environment's name.

locals {
  artifacts_arn = "arn:${var.partition}:s3:::${var.artifacts_bucket}"
  use_artifacts = [
    {
      Sid      = "Artifacts"
      Effect   = "Allow"
      Action   = ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"]
      Resource = ["${local.artifacts_arn}/${substr(local.name, 0, 20)}/*"]
    },
    {
      Sid      = "ArtifactsBucket"
      Effect   = "Allow"
      Action   = ["s3:GetBucketLocation", "s3:GetBucketVersioning"]
      Resource = [local.artifacts_arn]
    },
    {
      Sid      = "Key"
      Effect   = "Allow"
      Action   = ["kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey"]
      Resource = [var.kms_key_arn]
    },
  ]
}

resource "aws_iam_role" "pipeline" {
  name = local.name

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "codepipeline.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = var.account } }
    }]
  })
}

resource "aws_iam_role_policy" "pipeline" {
  name = "pipeline"
  role = aws_iam_role.pipeline.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(local.use_artifacts, [
      {
        Sid      = "Source"
        Effect   = "Allow"
        Action   = ["codestar-connections:UseConnection", "codeconnections:UseConnection"]
        Resource = [var.connection_arn]
      },
      {
        Sid      = "Builds"
        Effect   = "Allow"
        Action   = ["codebuild:StartBuild", "codebuild:BatchGetBuilds"]
        Resource = [for stage in local.stages : "arn:${var.partition}:codebuild:${local.arn}:project/${local.name}-${stage}"]
      },
      {
        Sid      = "AskForApproval"
        Effect   = "Allow"
        Action   = ["sns:Publish"]
        Resource = [var.topic_arn]
      },
    ])
  })
}

resource "aws_iam_role" "build" {
  for_each = toset(local.stages)

  name = "${local.name}-${each.key}"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "codebuild.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = var.account } }
    }]
  })
}

resource "aws_iam_role_policy" "build" {
  for_each = aws_iam_role.build

  name = "build"
  role = each.value.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(local.use_artifacts, [
      {
        Sid      = "Logs"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = ["arn:${var.partition}:logs:${local.arn}:log-group:/${var.prefix}/delivery/${each.key}:*"]
      },
      {
        Sid      = "State"
        Effect   = "Allow"
        Action   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
        Resource = ["arn:${var.partition}:s3:::${var.state_bucket}/${var.project}/${each.key}.tfstate", "arn:${var.partition}:s3:::${var.state_bucket}/${var.project}/${each.key}.tfstate.tflock"]
      },
      {
        Sid       = "ListState"
        Effect    = "Allow"
        Action    = ["s3:ListBucket"]
        Resource  = ["arn:${var.partition}:s3:::${var.state_bucket}"]
        Condition = { StringLike = { "s3:prefix" = ["${var.project}/${each.key}.tfstate*"] } }
      },
      {
        Sid      = "EarlierReleases"
        Effect   = "Allow"
        Action   = ["s3:GetObject"]
        Resource = [for folder in ["code", "jobs", "wheels"] : "arn:${var.partition}:s3:::${local.releases[each.key]}/${folder}/*"]
      },
      {
        Sid       = "ListReleases"
        Effect    = "Allow"
        Action    = ["s3:ListBucket"]
        Resource  = ["arn:${var.partition}:s3:::${local.releases[each.key]}"]
        Condition = { StringLike = { "s3:prefix" = ["code/*", "jobs/*", "wheels/*"] } }
      },
      {
        Sid       = "KeyOfReleases"
        Effect    = "Allow"
        Action    = ["kms:Decrypt"]
        Resource  = ["arn:${var.partition}:kms:${local.arn}:key/*"]
        Condition = { "ForAnyValue:StringEquals" = { "kms:ResourceAliases" = "alias/${var.project}-${each.key}" } }
      },
      {
        Sid      = "BecomeDeployer"
        Effect   = "Allow"
        Action   = ["sts:AssumeRole"]
        Resource = ["arn:${var.partition}:iam::${var.account}:role/${var.project}-${each.key}-deployer"]
      },
    ])
  })
}
