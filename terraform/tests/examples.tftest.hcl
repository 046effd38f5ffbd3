# The example of every module can be planned as it stands in the module's README.

mock_provider "aws" {
  source = "./tests/mocks"
}

run "alerts" {
  command = plan
  providers = {
    aws = aws
  }

  module {
    source = "./modules/alerts/example"
  }
}

run "arrivals" {
  command = plan
  providers = {
    aws = aws
  }

  variables {
    package = "tests/build/arrivals-0.zip"
  }

  module {
    source = "./modules/arrivals/example"
  }
}

run "bucket" {
  command = plan
  providers = {
    aws = aws
  }

  module {
    source = "./modules/bucket/example"
  }
}

run "cache" {
  command = plan
  providers = {
    aws = aws
  }

  module {
    source = "./modules/cache/example"
  }
}

run "catalog" {
  command = plan
  providers = {
    aws = aws
  }

  module {
    source = "./modules/catalog/example"
  }
}

run "database" {
  command = plan
  providers = {
    aws = aws
  }

  module {
    source = "./modules/database/example"
  }
}

run "glue_job" {
  command = plan
  providers = {
    aws = aws
  }

  module {
    source = "./modules/glue-job/example"
  }
}

run "pipeline" {
  command = plan
  providers = {
    aws = aws
  }

  module {
    source = "./modules/pipeline/example"
  }
}

run "read_api" {
  command = plan
  providers = {
    aws = aws
  }

  variables {
    package = "tests/build/api-0.zip"
  }

  module {
    source = "./modules/read-api/example"
  }
}
