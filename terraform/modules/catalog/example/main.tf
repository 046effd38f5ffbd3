# Tables of shop-dev: the database shop_dev, and a workgroup that stops a query at 1 GB.
module "catalog" {
  source = "../"

  prefix            = "shop-dev"
  account           = "123456789012"
  partition         = "aws"
  kms_key_arn       = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
  access_log_bucket = "shop-dev-123456789012-logs"
  bytes_per_query   = 1000000000
}
