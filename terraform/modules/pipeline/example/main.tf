# Every commit on main goes to dev, and after an approval to prod.
module "pipeline" {
  source = "../"

  prefix      = "shop-dev"
  account     = "123456789012"
  partition   = "aws"
  region      = "eu-west-1"
  kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"

  project          = "shop"
  artifacts_bucket = "shop-dev-123456789012-artifacts"
  state_bucket     = "shop-123456789012-terraform-state"
  connection_arn   = "arn:aws:codeconnections:eu-west-1:123456789012:connection/11111111-2222-3333-4444-555555555555"
  repository       = "example/shop"
  topic_arn        = "arn:aws:sns:eu-west-1:123456789012:shop-dev-alerts"
}
