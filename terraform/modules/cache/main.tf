# A cache of the read API's answers: ElastiCache for Valkey, serverless, with a user of its own, for the function alone.

locals {
  port = 6379
  user = "read-api"
}

resource "aws_elasticache_serverless_cache" "this" {
  name                 = var.prefix
  description          = "Answers of the read API"
  engine               = "valkey"
  major_engine_version = "8"
  kms_key_id           = var.kms_key_arn
  subnet_ids           = var.subnet_ids
  security_group_ids   = [aws_security_group.cache.id]
  user_group_id        = aws_elasticache_user_group.this.user_group_id
  # What is lost is loaded again.
  snapshot_retention_limit = 0

  cache_usage_limits {
    data_storage {
      maximum = var.storage_gb
      unit    = "GB"
    }

    ecpu_per_second {
      maximum = var.ecpu_per_second
    }
  }
}

# The first password. Later ones are set by hand (docs/cloud.md): what is read here anew in every plan is ignored.
data "aws_secretsmanager_random_password" "first" {
  password_length     = 48
  exclude_punctuation = true
}

resource "aws_elasticache_user" "api" {
  user_id   = "${var.prefix}-${local.user}"
  user_name = local.user
  engine    = "valkey"
  # What the API sends and the keys it has, and nothing else.
  access_string = "on ~read-api:* resetchannels -@all +get +set +del"

  authentication_mode {
    type = "password"
    # From the secret: an apply that failed in between goes on with the password that is there.
    passwords = [jsondecode(aws_secretsmanager_secret_version.login.secret_string).password]
  }

  lifecycle {
    ignore_changes = [authentication_mode]
  }
}

# With the engine valkey a group needs no user named default, and takes only users that log in (ElastiCache User Guide,
# "Role-Based Access Control").
resource "aws_elasticache_user_group" "this" {
  user_group_id = var.prefix
  engine        = "valkey"
  user_ids      = [aws_elasticache_user.api.user_id]
}

resource "aws_secretsmanager_secret" "login" {
  #checkov:skip=CKV2_AWS_57:the password is changed by hand in the cache and here, in this order (docs/cloud.md)
  name                    = "${var.prefix}/cache"
  description             = "User and password of the read API in its cache"
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.force_destroy ? 0 : 7
}

resource "aws_secretsmanager_secret_version" "login" {
  secret_id     = aws_secretsmanager_secret.login.id
  secret_string = jsonencode({ username = local.user, password = data.aws_secretsmanager_random_password.first.random_password })

  lifecycle {
    ignore_changes = [secret_string]
  }
}

resource "aws_security_group" "cache" {
  name        = "${var.prefix}-cache"
  description = "The cache"
  vpc_id      = var.vpc_id
}

resource "aws_security_group" "client" {
  #checkov:skip=CKV2_AWS_5:it is attached, in another module, to the read API's function
  name        = "${var.prefix}-cache-client"
  description = "Who uses the cache"
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_egress_rule" "client_to_cache" {
  security_group_id            = aws_security_group.client.id
  description                  = "Valkey"
  ip_protocol                  = "tcp"
  from_port                    = local.port
  to_port                      = local.port
  referenced_security_group_id = aws_security_group.cache.id
}

resource "aws_vpc_security_group_ingress_rule" "cache_from_client" {
  security_group_id            = aws_security_group.cache.id
  description                  = "Valkey"
  ip_protocol                  = "tcp"
  from_port                    = local.port
  to_port                      = local.port
  referenced_security_group_id = aws_security_group.client.id
}
