variable "glue_version" {
  description = "Glue version of all jobs: 5.1 is Spark 3.5.6 with Python 3.11."
  type        = string
  default     = "5.1"

  validation {
    condition     = contains(["5.1", "6.0"], var.glue_version)
    error_message = "glue_version is 5.1 or 6.0; the jobs are tested on these two."
  }
}

variable "jobs" {
  description = <<-EOT
    The jobs by name; jobs/<name>.py is the script.
    inputs: prefixes of the source bucket that the job may read. results_of: jobs whose published files it may read.
    arguments: default arguments; {source}, {destination}, {queue_url}, {lookup_table}, {database_url}, {reader} are filled in.
    wheels: distributions (names of artifacts.json) that the job needs in addition to Glue's own.
    needs: queue, lookup, database, catalog - what the job may use in addition to buckets.
  EOT
  type = map(object({
    inputs          = list(string)
    results_of      = optional(list(string), [])
    arguments       = optional(map(string), {})
    wheels          = optional(list(string), [])
    needs           = optional(list(string), [])
    worker_type     = optional(string, "G.1X")
    max_workers     = optional(number, 10)
    timeout_minutes = optional(number, 120)
    flex            = optional(bool, false)
  }))
  default = {
    restaurants = {
      inputs    = ["restaurants/"]
      needs     = ["lookup", "catalog"]
      wheels    = ["rich", "msgspec", "openpyxl"]
      arguments = { "--country-codes" = "{source}/restaurants/Country-Code.xlsx", "--lookup-table" = "{lookup_table}" }
    }
    customer_orders = {
      inputs    = ["customer_orders/"]
      needs     = ["queue"]
      wheels    = ["rich", "msgspec"]
      arguments = { "--queue-url" = "{queue_url}" }
    }
    race_stats = { inputs = ["race_stats/"], wheels = ["rich", "msgspec"] }
    carparks = {
      inputs    = ["carparks/"]
      needs     = ["lookup", "catalog"]
      wheels    = ["rich", "msgspec"]
      arguments = { "--information" = "{source}/carparks/HDBCarparkInformation.csv", "--lookup-table" = "{lookup_table}" }
    }
    people = {
      inputs    = ["people/"]
      needs     = ["database", "catalog"]
      wheels    = ["rich", "msgspec", "people"]
      arguments = { "--database-url" = "{database_url}", "--reader" = "{reader}" }
    }
    explode_json  = { inputs = ["explode_json/"], needs = ["catalog"], wheels = ["rich", "msgspec"], worker_type = "G.2X" }
    split_columns = { inputs = ["split_columns/"], needs = ["catalog"], wheels = ["rich", "msgspec"] }
  }

  validation {
    condition     = alltrue([for job in values(var.jobs) : contains(["G.1X", "G.2X", "G.4X", "G.8X"], job.worker_type)])
    error_message = "worker_type is G.1X, G.2X, G.4X or G.8X: the AWS provider 5.100 refuses the R types."
  }
  validation {
    condition     = alltrue([for job in values(var.jobs) : job.timeout_minutes >= 5 && job.timeout_minutes <= 1440])
    error_message = "timeout_minutes is minutes, from 5 to 1440: a run that takes days has gone wrong."
  }
  validation {
    condition     = alltrue([for job in values(var.jobs) : job.max_workers >= 2 && job.max_workers <= 200])
    error_message = "max_workers is from 2 (a driver and an executor) to 200."
  }
  validation {
    condition     = alltrue([for job in values(var.jobs) : !job.flex || contains(["G.1X", "G.2X"], job.worker_type)])
    error_message = "flex runs on G.1X and G.2X only."
  }
  validation {
    condition     = alltrue(flatten([for job in values(var.jobs) : [for prefix in job.inputs : can(regex("^[a-z0-9_-]+(/[a-z0-9_-]+)*/$", prefix))]]))
    error_message = "inputs are prefixes such as customer_orders/ - never the whole bucket, no wildcard, a slash at the end."
  }
  validation {
    condition     = alltrue(flatten([for job in values(var.jobs) : [for need in job.needs : contains(["queue", "lookup", "database", "catalog"], need)]]))
    error_message = "needs knows queue, lookup, database and catalog."
  }
  validation {
    condition     = alltrue(flatten([for job in values(var.jobs) : [for other in job.results_of : contains(keys(var.jobs), other)]]))
    error_message = "results_of names jobs of this map."
  }
}

variable "job_sizes" {
  description = "What an environment changes of a job's size: worker_type, max_workers, timeout_minutes, flex."
  type = map(object({
    worker_type     = optional(string)
    max_workers     = optional(number)
    timeout_minutes = optional(number)
    flex            = optional(bool)
  }))
  default = {}

  validation {
    condition     = length(setsubtract(keys(var.job_sizes), keys(var.jobs))) == 0
    error_message = "job_sizes names a job that is not in jobs."
  }
}

variable "sets" {
  description = <<-EOT
    Which files make a set for which job. files: input of the job -> key in the source bucket, with {day} for a date YYYYMMDD
    (plain, gzip, zstd or bzip2). arguments: more arguments; {day}, {source} and {destination} (where the set's results appear) are filled in.
    expected_at: the hour (UTC, HH:MM) at which the day's set must be complete; day_offset: -1 when it is yesterday's.
    then: jobs that run after it in sequence, with their arguments.
  EOT
  type = map(object({
    job         = string
    files       = map(string)
    arguments   = optional(map(string), {})
    expected_at = optional(string)
    day_offset  = optional(number, 0)
    then        = optional(list(object({ job = string, arguments = map(string) })), [])
  }))
  default = {
    customer_orders = {
      job         = "customer_orders"
      expected_at = "06:00"
      files = {
        customers = "customer_orders/customers_{day}.csv"
        orders    = "customer_orders/orders_{day}.csv"
        items     = "customer_orders/items_{day}.csv"
      }
    }
    restaurants   = { job = "restaurants", files = { restaurants = "restaurants/restaurant_data_{day}.json" } }
    race_stats    = { job = "race_stats", files = { races = "race_stats/races_{day}.csv", results = "race_stats/results_{day}.csv" } }
    carparks      = { job = "carparks", files = { availability = "carparks/carpark-availability_{day}.json" } }
    people        = { job = "people", files = { people = "people/people_{day}.csv" } }
    explode_json  = { job = "explode_json", files = { source = "explode_json/records_{day}.json" } }
    split_columns = { job = "split_columns", files = { source = "split_columns/rows_{day}.csv" } }
  }

  validation {
    condition     = alltrue([for set in values(var.sets) : contains(keys(var.jobs), set.job) && alltrue([for step in set.then : contains(keys(var.jobs), step.job)])])
    error_message = "a set names a job that is not in jobs."
  }
  validation {
    condition     = alltrue([for name in keys(var.sets) : can(regex("^[a-z][a-z0-9_]{0,39}$", name))])
    error_message = "a set's name is up to 40 lower case letters, digits and underscores (it becomes part of a run's name)."
  }
  validation {
    condition     = alltrue(flatten([for set in values(var.sets) : [for key in values(set.files) : can(regex("^[^{}*,]*(\\{day\\})?[^{}*,]*$", key))]]))
    error_message = "a file of a set is a key with at most one {day}, without comma and wildcard."
  }
  validation {
    condition = alltrue([for set in values(var.sets) : alltrue([for key in values(set.files) :
    anytrue([for prefix in try(var.jobs[set.job].inputs, []) : startswith(key, prefix)])])])
    error_message = "a file of a set lies outside of the prefixes that its job may read."
  }
  validation {
    condition     = alltrue([for set in values(var.sets) : set.expected_at == null || can(regex("^([01][0-9]|2[0-3]):[0-5][0-9]$", set.expected_at))])
    error_message = "expected_at is HH:MM, UTC."
  }
  validation {
    condition     = alltrue([for set in values(var.sets) : set.expected_at == null || alltrue([for key in values(set.files) : strcontains(key, "{day}")])])
    error_message = "expected_at needs {day} in every file of the set."
  }
  validation {
    condition     = alltrue([for set in var.sets : try(set.arguments["--format"], "") != "iceberg" || contains(try(var.catalog.iceberg, []), set.job)])
    error_message = "a set with --format iceberg is of a job in catalog.iceberg."
  }
  validation {
    condition     = length(jsonencode(var.sets)) < 3500
    error_message = "sets is longer than the 4 KB that a function's environment may hold."
  }
}

variable "reference_files" {
  description = "Keys in the source bucket that belong to no set: jobs take them as they are, by their arguments."
  type        = list(string)
  default     = ["restaurants/Country-Code.xlsx", "carparks/HDBCarparkInformation.csv"]

  validation {
    condition     = length(jsonencode(var.reference_files)) < 1000
    error_message = "reference_files is longer than what a function's environment has room for."
  }
}
