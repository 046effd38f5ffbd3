# A job that reads orders/ of the source bucket and writes orders/ of the destination bucket.
module "job" {
  source = "../"

  prefix      = "shop-dev"
  account     = "123456789012"
  partition   = "aws"
  region      = "eu-west-1"
  kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"

  name                   = "orders"
  script_key             = "jobs/orders-0123456789ab.py"
  code_key               = "code/code-0123456789ab.zip"
  wheel_keys             = ["wheels/msgspec-0.22.0-cp311-cp311-manylinux_2_28_x86_64.whl"]
  run_files_tag          = "run-files"
  security_configuration = "shop-dev"
  inputs                 = ["orders/"]
  arguments              = { "--orders" = "s3://shop-dev-123456789012-source/orders/*.csv" }
  worker_type            = "G.2X"
  flex                   = true

  buckets = {
    source      = "shop-dev-123456789012-source"
    destination = "shop-dev-123456789012-destination"
    artifacts   = "shop-dev-123456789012-artifacts"
  }
}
