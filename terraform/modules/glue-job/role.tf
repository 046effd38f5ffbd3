# What the job may do, and nothing else.

locals {
  read_source = [for prefix in var.inputs : "${local.s3}${var.buckets.source}/${prefix}*"]
  read_result = [for other in var.results_of : "${local.s3}${var.buckets.destination}/${other}/*"]
  own_result  = "${local.s3}${var.buckets.destination}/${var.name}/*"

  statements = concat(
    [
      {
        Sid      = "ReadInputs"
        Effect   = "Allow"
        Action   = ["s3:GetObject"]
        Resource = concat(local.read_source, local.read_result)
      },
      {
        Sid       = "ListInputs"
        Effect    = "Allow"
        Action    = ["s3:ListBucket"]
        Resource  = ["${local.s3}${var.buckets.source}"]
        Condition = { StringLike = { "s3:prefix" = flatten([for prefix in var.inputs : [trimsuffix(prefix, "/"), "${prefix}*"]]) } }
      },
      {
        # Also of the releases before: a worker that joins a run under way reads what the run began with.
        Sid      = "ReadCode"
        Effect   = "Allow"
        Action   = ["s3:GetObject"]
        Resource = [for place in ["code/", "wheels/", "jobs/${var.name}-"] : "${local.s3}${var.buckets.artifacts}/${place}*"]
      },
      {
        Sid      = "WriteResults"
        Effect   = "Allow"
        Action   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]
        Resource = [local.own_result, "${local.s3}${var.buckets.artifacts}/${local.run_prefix}/*"]
      },
      {
        Sid      = "TagRunFiles"
        Effect   = "Allow"
        Action   = ["s3:PutObjectTagging"]
        Resource = [local.own_result]
      },
      {
        Sid       = "ListResults"
        Effect    = "Allow"
        Action    = ["s3:ListBucket"]
        Resource  = ["${local.s3}${var.buckets.destination}"]
        Condition = { StringLike = { "s3:prefix" = flatten([for name in concat([var.name], var.results_of) : [name, "${name}/*"]]) } }
      },
      {
        Sid       = "ListRunFiles"
        Effect    = "Allow"
        Action    = ["s3:ListBucket"]
        Resource  = ["${local.s3}${var.buckets.artifacts}"]
        Condition = { StringLike = { "s3:prefix" = [local.run_prefix, "${local.run_prefix}/*"] } }
      },
      {
        Sid      = "Locate"
        Effect   = "Allow"
        Action   = ["s3:GetBucketLocation", "s3:ListBucketMultipartUploads"]
        Resource = ["${local.s3}${var.buckets.destination}", "${local.s3}${var.buckets.artifacts}"]
      },
      {
        Sid       = "Key"
        Effect    = "Allow"
        Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource  = [var.kms_key_arn]
        Condition = { StringEquals = { "kms:ViaService" = [for service in local.key_services : "${service}.${var.region}.amazonaws.com"] } }
      },
      {
        Sid      = "Logs"
        Effect   = "Allow"
        Action   = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", "logs:AssociateKmsKey"]
        Resource = ["${local.logs}/*"]
      },
      {
        Sid    = "Metrics"
        Effect = "Allow"
        Action = ["cloudwatch:PutMetricData"]
        # PutMetricData knows no resource; the name space is the limit.
        Resource  = "*"
        Condition = { StringEquals = { "cloudwatch:namespace" = "Glue" } }
      },
    ],
    var.queue_arn == "" ? [] : [{
      Sid      = "Messages"
      Effect   = "Allow"
      Action   = ["sqs:SendMessage", "sqs:GetQueueAttributes", "sqs:GetQueueUrl"]
      Resource = [var.queue_arn]
    }],
    var.lookup_table_arn == "" ? [] : [{
      Sid      = "Lookup"
      Effect   = "Allow"
      Action   = ["dynamodb:DescribeTable", "dynamodb:BatchWriteItem", "dynamodb:PutItem", "dynamodb:Scan"]
      Resource = [var.lookup_table_arn]
    }],
    var.catalog_database == "" ? [] : [{
      Sid      = "Catalog"
      Effect   = "Allow"
      Action   = concat(["glue:GetDatabase", "glue:GetTable", "glue:CreateTable", "glue:UpdateTable", "glue:CreatePartition", "glue:UpdatePartition"], var.iceberg ? ["glue:DeleteTable"] : [])
      Resource = ["${local.glue}:catalog", "${local.glue}:database/${var.catalog_database}", "${local.glue}:table/${var.catalog_database}/*"]
    }],
    length(var.connections) == 0 ? [] : [{
      Sid      = "DatabasePassword"
      Effect   = "Allow"
      Action   = ["secretsmanager:GetSecretValue"]
      Resource = [var.database_secret_arn]
    }],
    [for statement in [
      {
        Sid      = "Connection"
        Effect   = "Allow"
        Action   = ["glue:GetConnection"]
        Resource = concat(["${local.glue}:catalog"], [for name in var.connections : "${local.glue}:connection/${name}"])
      },
      {
        Sid    = "LookAtNetwork"
        Effect = "Allow"
        Action = ["ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", "ec2:DescribeSecurityGroups", "ec2:DescribeVpcEndpoints", "ec2:DescribeRouteTables", "ec2:DescribeVpcAttribute"]
        # The Describe actions of EC2 know no resource.
        Resource = "*"
      },
      {
        Sid      = "NetworkInterface"
        Effect   = "Allow"
        Action   = ["ec2:CreateNetworkInterface"]
        Resource = concat([for id in var.subnet_ids : "${local.ec2}:subnet/${id}"], [for id in var.security_group_ids : "${local.ec2}:security-group/${id}"], ["${local.ec2}:network-interface/*"])
      },
      {
        Sid       = "TagNetworkInterface"
        Effect    = "Allow"
        Action    = ["ec2:CreateTags"]
        Resource  = ["${local.ec2}:network-interface/*"]
        Condition = { "ForAllValues:StringEquals" = { "aws:TagKeys" = ["aws-glue-service-resource"] } }
      },
      {
        Sid       = "DropNetworkInterface"
        Effect    = "Allow"
        Action    = ["ec2:DeleteNetworkInterface"]
        Resource  = ["${local.ec2}:network-interface/*"]
        Condition = { "ArnEquals" = { "ec2:Subnet" = [for id in var.subnet_ids : "${local.ec2}:subnet/${id}"] } }
      },
    ] : statement if length(var.connections) > 0],
  )
  glue = "arn:${var.partition}:glue:${var.region}:${var.account}"
  ec2  = "arn:${var.partition}:ec2:${var.region}:${var.account}"

  key_services = concat(
    ["s3", "logs"],
    var.queue_arn == "" ? [] : ["sqs"],
    var.lookup_table_arn == "" ? [] : ["dynamodb"],
    length(var.connections) == 0 ? [] : ["secretsmanager"],
  )
}

resource "aws_iam_role" "this" {
  name = local.role_name

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "glue.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = var.account } }
    }]
  })
}

resource "aws_iam_role_policy" "this" {
  name   = "job"
  role   = aws_iam_role.this.name
  policy = jsonencode({ Version = "2012-10-17", Statement = local.statements })
}
