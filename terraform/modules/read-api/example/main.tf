# Lookups only: without a database there is no network and no log-in to one.
variable "package" {
  type = string # build/cloud/api-HASH.zip, made by python -m tools.cloud_package
}

module "read_api" {
  source = "../"

  prefix      = "shop-dev"
  account     = "123456789012"
  partition   = "aws"
  region      = "eu-west-1"
  kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"

  package       = var.package
  lookup_tables = { carparks = "shop-dev-lookup-carparks" }
}
