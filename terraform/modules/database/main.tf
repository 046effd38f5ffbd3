# PostgreSQL for people. Nobody ever sees its password: RDS makes it, keeps it in Secrets Manager and changes it weekly.

locals {
  exported_logs = ["postgresql", "upgrade"]
}

resource "aws_db_subnet_group" "this" {
  name       = var.prefix
  subnet_ids = [for subnet in aws_subnet.private : subnet.id]
}

resource "aws_db_parameter_group" "this" {
  name   = var.prefix
  family = "postgres16"

  parameter {
    name  = "rds.force_ssl"
    value = "1"
  }

  parameter {
    name  = "log_statement"
    value = "ddl"
  }

  parameter {
    name  = "log_min_duration_statement"
    value = "1000"
  }
}

# RDS would make them itself, to be kept for ever.
resource "aws_cloudwatch_log_group" "database" {
  for_each = toset(local.exported_logs)

  name              = "/aws/rds/instance/${var.prefix}/${each.key}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_db_instance" "this" {
  #checkov:skip=CKV_AWS_157:a second instance is the environment's choice: multi_az, on by default
  #checkov:skip=CKV_AWS_293:deletion protection is the environment's choice, on by default
  #checkov:skip=CKV_AWS_118:enhanced monitoring looks into the operating system; Performance Insights is enough for a table of people
  identifier     = var.prefix
  engine         = "postgres"
  engine_version = "16"
  instance_class = var.instance_class
  db_name        = "people"
  username       = "people_owner"

  manage_master_user_password   = true
  master_user_secret_kms_key_id = var.kms_key_arn

  allocated_storage     = var.storage_gib
  max_allocated_storage = var.storage_gib * 4
  storage_type          = "gp3"
  storage_encrypted     = true
  kms_key_id            = var.kms_key_arn

  db_subnet_group_name   = aws_db_subnet_group.this.name
  vpc_security_group_ids = [aws_security_group.database.id]
  parameter_group_name   = aws_db_parameter_group.this.name
  publicly_accessible    = false
  ca_cert_identifier     = "rds-ca-rsa2048-g1"

  multi_az                            = var.multi_az
  backup_retention_period             = var.backup_days
  copy_tags_to_snapshot               = true
  deletion_protection                 = var.deletion_protection
  skip_final_snapshot                 = !var.deletion_protection
  final_snapshot_identifier           = "${var.prefix}-last"
  auto_minor_version_upgrade          = true
  iam_database_authentication_enabled = true
  performance_insights_enabled        = true
  performance_insights_kms_key_id     = var.kms_key_arn
  enabled_cloudwatch_logs_exports     = local.exported_logs

  depends_on = [aws_cloudwatch_log_group.database]
}

# Puts the job's workers into the network.
resource "aws_glue_connection" "network" {
  name            = "${var.prefix}-network"
  connection_type = "NETWORK"

  physical_connection_requirements {
    availability_zone      = local.zones[0]
    subnet_id              = aws_subnet.private[local.zones[0]].id
    security_group_id_list = [aws_security_group.client.id]
  }
}
