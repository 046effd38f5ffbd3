# What the environment consists of, with everything switched on.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  environment = "prod"
  build       = "tests/build"
  database    = {}
  catalog     = { iceberg = ["split_columns"] }
  cache       = {}
  delivery = {
    connection_arn = "arn:aws:codeconnections:eu-west-1:123456789012:connection/mocked"
    repository     = "example/partner-data"
    state_bucket   = "partner-data-terraform-state"
  }
  partners     = { north = { account = "210987654321", prefixes = ["customer_orders/"] } }
  alert_emails = ["operations@example.com"]
}

run "everything" {
  command = apply

  assert {
    condition     = length(output.jobs) == 7 && length(distinct(values(output.jobs))) == 7
    error_message = "seven jobs are expected"
  }

  assert {
    condition     = length(distinct(values(output.roles))) == length(output.jobs)
    error_message = "every job has a role of its own"
  }

  assert {
    condition     = length(distinct(values(output.buckets))) == 4
    error_message = "source, destination, artifacts and logs are separate buckets"
  }

  assert {
    condition     = alltrue([for line in values(output.start) : startswith(line, "aws glue start-job-run")])
    error_message = "every job tells how it is started"
  }

  assert {
    condition     = output.read_api_url != "" && length(output.lookup_tables) == 2
    error_message = "the read API and its two lookup tables are set up"
  }

  assert {
    condition     = output.catalog.database == "partner_data_prod" && output.catalog.workgroup == "partner-data-prod"
    error_message = "the catalog has the environment's names"
  }

  assert {
    condition     = [for name, set in local.sets : name if try(set.arguments["--catalog"], "") == "partner_data_prod"] == ["carparks", "explode_json", "people", "restaurants", "split_columns"]
    error_message = "sets of jobs with tables register them"
  }

  assert {
    condition     = module.cache[0].url == "valkeys://cache.mocked.serverless.euw1.cache.amazonaws.com:6379"
    error_message = "the cache is reached by TLS"
  }

  assert {
    condition     = keys(output.schedules) == ["customer_orders"]
    error_message = "sets with an hour have a schedule"
  }

  assert {
    condition     = strcontains(output.schedules["customer_orders"], "\"<aws.scheduler.scheduled-time>\"")
    error_message = "the scheduler's own words must stand in its payload as they are"
  }
}
