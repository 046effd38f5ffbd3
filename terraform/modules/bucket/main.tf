# One private bucket: encrypted, versioned, TLS only, owner enforced, with a life cycle.

locals {
  managed_key = var.kms_key_arn == ""
}

resource "aws_s3_bucket" "this" {
  #checkov:skip=CKV_AWS_144:a second region is not asked for; sources can be sent again and results made again
  #checkov:skip=CKV_AWS_145:the bucket of access logs cannot take a customer key: S3 does not deliver logs into it then
  #checkov:skip=CKV_AWS_18:access logs go to the log bucket; that one does not log itself
  #checkov:skip=CKV2_AWS_62:only the source bucket reports its objects; a job's output must never trigger a job
  #checkov:skip=CKV_AWS_21:versioning is set by aws_s3_bucket_versioning below
  bucket        = var.name
  force_destroy = var.force_destroy
}

resource "aws_s3_bucket_versioning" "this" {
  bucket = aws_s3_bucket.this.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    bucket_key_enabled = !local.managed_key

    apply_server_side_encryption_by_default {
      sse_algorithm     = local.managed_key ? "AES256" : "aws:kms"
      kms_master_key_id = local.managed_key ? null : var.kms_key_arn
    }
  }
}

resource "aws_s3_bucket_public_access_block" "this" {
  bucket                  = aws_s3_bucket.this.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_policy" "this" {
  bucket = aws_s3_bucket.this.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat([
      {
        Sid       = "TlsOnly"
        Effect    = "Deny"
        Principal = { AWS = "*" }
        # A denial: everything, by everybody, without TLS.
        Action    = "s3:*"
        Resource  = ["arn:${var.partition}:s3:::${var.name}", "arn:${var.partition}:s3:::${var.name}/*"]
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      }
      ], var.takes_access_logs_of_account == "" ? [] : [
      {
        Sid       = "AccessLogs"
        Effect    = "Allow"
        Principal = { Service = "logging.s3.amazonaws.com" }
        Action    = "s3:PutObject"
        Resource  = "arn:${var.partition}:s3:::${var.name}/*"
        Condition = { StringEquals = { "aws:SourceAccount" = var.takes_access_logs_of_account } }
      }
      ], [for name, partner in var.uploads : {
        Sid       = "Upload${index(keys(var.uploads), name)}"
        Effect    = "Allow"
        Principal = { AWS = partner.principal }
        Action    = ["s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]
        Resource  = [for prefix in partner.prefixes : "arn:${var.partition}:s3:::${var.name}/${prefix}*"]
    }])
  })

  depends_on = [aws_s3_bucket_public_access_block.this]
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    id     = "remains"
    status = "Enabled"
    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }

    noncurrent_version_expiration {
      noncurrent_days = 30
    }

    expiration {
      expired_object_delete_marker = true
    }
  }

  dynamic "rule" {
    for_each = var.expire_days

    content {
      id     = rule.key == "" ? "everything" : trim(rule.key, "/")
      status = "Enabled"

      filter {
        prefix = rule.key
      }

      expiration {
        days = rule.value
      }
    }
  }

  dynamic "rule" {
    for_each = var.expire_tagged

    content {
      id     = "tagged-${rule.key}"
      status = "Enabled"

      filter {
        tag {
          key   = rule.key
          value = "true"
        }
      }

      expiration {
        days = rule.value
      }
    }
  }

  depends_on = [aws_s3_bucket_versioning.this]
}

resource "aws_s3_bucket_logging" "this" {
  count = var.takes_access_logs_of_account == "" ? 1 : 0

  bucket        = aws_s3_bucket.this.id
  target_bucket = var.access_log_bucket
  target_prefix = "${var.name}/"
}

resource "aws_s3_bucket_notification" "this" {
  count = var.events ? 1 : 0

  bucket      = aws_s3_bucket.this.id
  eventbridge = true
}
