# An environment without a database serves lookups all the same.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  environment = "dev"
  build       = "tests/build"
}

run "without_a_database" {
  command = apply

  assert {
    condition     = output.read_api_url != "" && length(module.database) == 0 && length(module.cache) == 0
    error_message = "lookups are served without a database"
  }

  assert {
    condition     = length(module.catalog) == 0 && !strcontains(jsonencode(local.sets), "--catalog")
    error_message = "without a catalog nothing is registered"
  }

  assert {
    condition     = !strcontains(jsonencode(module.job["people"]), "database")
    error_message = "without a database people writes its file only"
  }
}
