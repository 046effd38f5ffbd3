# A small database in two zones' subnets, without a second instance.
module "database" {
  source = "../"

  prefix      = "shop-dev"
  account     = "123456789012"
  partition   = "aws"
  region      = "eu-west-1"
  kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"

  cidr           = "10.40.0.0/20"
  instance_class = "db.t4g.micro"
  storage_gib    = 20
}
