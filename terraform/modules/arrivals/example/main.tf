# Two files a day start the job orders; when one is absent at six (UTC) the topic hears of it.
variable "package" {
  type = string # build/cloud/arrivals-HASH.zip, made by python -m tools.cloud_package
}

module "arrivals" {
  source = "../"

  prefix      = "shop-dev"
  account     = "123456789012"
  partition   = "aws"
  region      = "eu-west-1"
  kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"

  package            = var.package
  source_bucket      = "shop-dev-123456789012-source"
  destination_bucket = "shop-dev-123456789012-destination"
  topic_arn          = "arn:aws:sns:eu-west-1:123456789012:shop-dev-alerts"
  job_names          = { orders = "shop-dev-orders" }
  prefixes           = ["orders/"]
  max_object_bytes   = 53687091200

  sets = {
    orders = {
      job         = "orders"
      files       = { orders = "orders/orders_{day}.csv", items = "orders/items_{day}.csv" }
      arguments   = {}
      expected_at = "06:00"
      day_offset  = 0
      then        = []
    }
  }
}
