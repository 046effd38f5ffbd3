environment        = "dev"
log_retention_days = 30
force_destroy      = true

# Half the price, and nobody waits for dev.
job_sizes = {
  restaurants     = { max_workers = 3, flex = true }
  customer_orders = { max_workers = 3, flex = true }
  race_stats      = { max_workers = 2, flex = true }
  carparks        = { max_workers = 2, flex = true }
  people          = { max_workers = 3, flex = true }
  explode_json    = { max_workers = 3, flex = true }
  split_columns   = { max_workers = 3, flex = true }
}

database = {
  instance_class      = "db.t4g.micro"
  storage_gib         = 20
  multi_az            = false
  deletion_protection = false
  backup_days         = 1
}
