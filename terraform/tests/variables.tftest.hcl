# Wrong variables are refused with a message, before anything is planned.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  environment = "dev"
  build       = "tests/build"
}

run "values_that_are_none" {
  command = plan
  variables {
    environment              = "test"
    project                  = "Partner Data"
    region                   = "Ireland"
    endpoint                 = "http://example.com:80"
    glue_version             = "4.0"
    log_retention_days       = 8
    max_object_bytes         = 6000000000000
    alert_emails             = ["operations"]
    deployer_role_arn        = "deployer"
    job_sizes                = { parcels = { max_workers = 3 } }
    reserved_concurrency     = { arrivals = 0 }
    run_files_retention_days = 0
    partners                 = { north = { account = "1", prefixes = ["*"] } }
    sets                     = { parcels = { job = "parcels", files = { source = "parcels/x.csv" } } }
  }
  expect_failures = [
    var.environment, var.project, var.region, var.endpoint, var.glue_version, var.log_retention_days, var.max_object_bytes,
    var.alert_emails, var.deployer_role_arn, var.job_sizes, var.sets,
    var.reserved_concurrency, var.run_files_retention_days, var.partners,
  ]
}

run "a_network_that_is_none" {
  command = plan
  variables {
    database = { cidr = "everywhere" }
  }
  expect_failures = [var.database]
}

run "a_limit_that_athena_does_not_take" {
  command = plan
  variables {
    catalog = { bytes_per_query = 1000 }
  }
  expect_failures = [var.catalog]
}

run "tables_of_iceberg_of_a_job_without_a_catalog" {
  command = plan
  variables {
    catalog = { iceberg = ["race_stats"] }
  }
  expect_failures = [var.catalog]
}

run "a_set_with_tables_of_iceberg_that_are_not_switched_on" {
  command = plan
  variables {
    catalog = {}
    sets    = { rows = { job = "split_columns", files = { source = "split_columns/rows_{day}.csv" }, arguments = { "--format" = "iceberg" } } }
  }
  expect_failures = [var.sets]
}

run "a_cache_without_a_network" {
  command = plan
  variables {
    cache = {}
  }
  expect_failures = [var.cache]
}

run "a_cache_that_is_too_small_and_a_burst_below_its_rate" {
  command = plan
  variables {
    database        = {}
    cache           = { ecpu_per_second = 10 }
    read_api_limits = { requests_per_second = 50, burst = 10 }
  }
  expect_failures = [var.cache, var.read_api_limits]
}

run "timeout_in_days" {
  command = plan
  variables {
    jobs = { people = { inputs = ["people/"], timeout_minutes = 2880 } }
    sets = {}
  }
  expect_failures = [var.jobs]
}

run "a_worker_type_that_the_provider_refuses" {
  command = plan
  variables {
    jobs = { people = { inputs = ["people/"], worker_type = "R.1X" } }
    sets = {}
  }
  expect_failures = [var.jobs]
}

run "a_region_without_certificates_of_the_database" {
  command = plan
  variables {
    region   = "eu-nowhere-1"
    database = {}
  }
  expect_failures = [var.database]
}

run "flex_on_large_workers" {
  command = plan
  variables {
    jobs = { people = { inputs = ["people/"], worker_type = "G.8X", flex = true } }
    sets = {}
  }
  expect_failures = [var.jobs]
}

run "a_job_that_reads_the_whole_bucket" {
  command = plan
  variables {
    jobs = { people = { inputs = [""] } }
    sets = {}
  }
  expect_failures = [var.jobs]
}

run "an_hour_that_is_none" {
  command = plan
  variables {
    sets = { people = { job = "people", expected_at = "25:00", files = { people = "people/people_{day}.csv" } } }
  }
  expect_failures = [var.sets]
}

run "an_hour_without_a_day" {
  command = plan
  variables {
    sets = { people = { job = "people", expected_at = "06:00", files = { people = "people/people.csv" } } }
  }
  expect_failures = [var.sets]
}

run "a_set_outside_of_its_jobs_prefix" {
  command = plan
  variables {
    sets = { race_stats = { job = "race_stats", files = { races = "people/races_{day}.csv" } } }
  }
  expect_failures = [var.sets]
}
