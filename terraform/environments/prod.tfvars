environment        = "prod"
log_retention_days = 365

job_sizes = {
  restaurants     = { max_workers = 20 }
  customer_orders = { max_workers = 20 }
  race_stats      = { max_workers = 5 }
  carparks        = { max_workers = 5 }
  people          = { max_workers = 20, timeout_minutes = 240 }
  explode_json    = { max_workers = 40, timeout_minutes = 480 }
  split_columns   = { max_workers = 20, timeout_minutes = 240 }
}

database = {
  instance_class = "db.m7g.large"
  storage_gib    = 200
}
