# A bucket for what partners send: kept for a year, its events go to EventBridge, one other account may upload.
module "bucket" {
  source = "../"

  name        = "shop-dev-123456789012-source"
  kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
  expire_days = { "" = 365 }
  events      = true
  uploads     = { north = { principal = "arn:aws:iam::210987654321:root", prefixes = ["orders/"] } }
}
