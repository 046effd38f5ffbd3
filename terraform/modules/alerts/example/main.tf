# Alerts by e-mail for one job, one queue and one function.
module "alerts" {
  source = "../"

  prefix      = "shop-dev"
  account     = "123456789012"
  partition   = "aws"
  region      = "eu-west-1"
  kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"

  emails                 = ["operations@example.com"]
  jobs                   = { orders = "shop-dev-orders" }
  queues                 = { arrivals = "shop-dev-arrivals" }
  dead_letters           = { arrivals = "shop-dev-arrivals-dead" }
  functions              = { arrivals = "shop-dev-arrivals" }
  state_machine          = "arn:aws:states:eu-west-1:123456789012:stateMachine:shop-dev-sets"
  event_dead_letters_arn = "arn:aws:sqs:eu-west-1:123456789012:shop-dev-events-dead"
}
