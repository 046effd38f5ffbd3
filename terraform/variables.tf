# Required.

variable "environment" {
  description = "Name of the environment; part of every resource's name."
  type        = string

  validation {
    condition     = contains(["dev", "prod"], var.environment)
    error_message = "environment is dev or prod."
  }
}

variable "build" {
  description = "Folder that `python -m tools.cloud_package` filled: code, functions, wheels and artifacts.json."
  type        = string
}

# Optional.

variable "project" {
  description = "First part of every resource's name."
  type        = string
  default     = "partner-data"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,20}$", var.project))
    error_message = "project is 3 to 21 lower case letters, digits and dashes, a letter first (it becomes part of bucket names)."
  }
}

variable "region" {
  description = "AWS region."
  type        = string
  default     = "eu-west-1"

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region is a name such as eu-west-1."
  }
}

variable "endpoint" {
  description = "URL of a local stand-in for AWS. Leave empty for AWS itself."
  type        = string
  default     = ""

  validation {
    condition     = var.endpoint == "" || can(regex("^http://127\\.0\\.0\\.1:[0-9]+$", var.endpoint))
    error_message = "endpoint is empty (AWS itself) or http://127.0.0.1:PORT."
  }
}

variable "deployer_role_arn" {
  description = "Role that Terraform becomes before it changes anything; empty stays who it is."
  type        = string
  default     = ""

  validation {
    condition     = var.deployer_role_arn == "" || can(regex("^arn:[^:]+:iam::[0-9]{12}:role/", var.deployer_role_arn))
    error_message = "deployer_role_arn is empty or the ARN of a role."
  }
}

variable "alert_emails" {
  description = "Addresses that get the alerts; each confirms its subscription once."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for address in var.alert_emails : can(regex("^[^@ ]+@[^@ ]+\\.[^@ ]+$", address))])
    error_message = "alert_emails holds e-mail addresses."
  }
}

variable "log_retention_days" {
  description = "Days that log groups keep their lines."
  type        = number
  default     = 365

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 3653], var.log_retention_days)
    error_message = "log_retention_days is one of the periods that CloudWatch knows (7, 30, 90, 365, ...)."
  }
}

variable "max_object_bytes" {
  description = "Source files over this size are refused with an alert."
  type        = number
  default     = 53687091200

  validation {
    condition     = var.max_object_bytes > 0 && var.max_object_bytes <= 5 * pow(1024, 4)
    error_message = "max_object_bytes is between 1 byte and 5 TiB, the largest object of S3."
  }
}

variable "source_retention_days" {
  description = "Days that source files are kept before they expire."
  type        = number
  default     = 400

  validation {
    condition     = var.source_retention_days >= 30
    error_message = "source_retention_days is 30 or more: a set must stay there until it can be run again."
  }
}

variable "run_files_retention_days" {
  description = "Days that files of runs (quarantine, excluded records, reports) are kept in the destination bucket; published files stay."
  type        = number
  default     = 90

  validation {
    condition     = var.run_files_retention_days >= 1
    error_message = "run_files_retention_days is 1 or more."
  }
}

variable "partners" {
  description = "Other AWS accounts that may upload, by name: the account and its prefixes of the source bucket. They use the key through S3."
  type        = map(object({ account = string, prefixes = list(string) }))
  default     = {}

  validation {
    condition     = alltrue([for partner in values(var.partners) : can(regex("^[0-9]{12}$", partner.account)) && alltrue([for prefix in partner.prefixes : can(regex("^[a-z0-9_-]+(/[a-z0-9_-]+)*/$", prefix))])])
    error_message = "a partner has an account of 12 digits and prefixes such as customer_orders/ - a slash at the end, no wildcard."
  }
}

variable "force_destroy" {
  description = "Whether destroy may delete buckets that still hold objects, and secrets at once. For short-lived environments only."
  type        = bool
  default     = false
}

variable "reserved_concurrency" {
  description = "Concurrent executions kept for each function; empty keeps none. Lambda leaves 100 of the account's unreserved, and a new account has fewer in all."
  type        = object({ arrivals = optional(number, -1), read_api = optional(number, -1) })
  default     = {}

  validation {
    condition     = alltrue([for number in values(var.reserved_concurrency) : number == -1 || number >= 1])
    error_message = "reserved_concurrency is 1 or more for a function, or -1 for none: 0 would stop it."
  }
}

variable "read_api" {
  description = "Whether the read API (HTTP API and function) is set up; people need the database, lookups do not."
  type        = bool
  default     = true
}

variable "read_api_limits" {
  description = "Calls of the read API: how many a second, and how many may come at once; more get 429."
  type        = object({ requests_per_second = optional(number, 50), burst = optional(number, 100) })
  default     = {}

  validation {
    condition     = var.read_api_limits.requests_per_second >= 1 && var.read_api_limits.burst >= var.read_api_limits.requests_per_second
    error_message = "read_api_limits needs requests_per_second of 1 or more and a burst that is not below it."
  }
}

variable "cache" {
  description = "The cache of the read API's answers (ElastiCache for Valkey); null leaves it out. It is in the database's network."
  type        = object({ storage_gb = optional(number, 1), ecpu_per_second = optional(number, 5000) })
  default     = null

  validation {
    condition     = var.cache == null || try(var.cache.storage_gb >= 1 && var.cache.ecpu_per_second >= 1000, false)
    error_message = "cache needs storage_gb of 1 or more and ecpu_per_second of 1000 or more, the least that AWS takes."
  }
  validation {
    condition     = var.cache == null || (var.database != null && var.read_api)
    error_message = "cache needs the read API and the database, whose network it is in."
  }
}

variable "catalog" {
  description = "The Data Catalog's database and the Athena workgroup for published tables; null leaves both out. bytes_per_query: what one query may scan. iceberg: jobs (explode_json, split_columns) that may write tables of Iceberg."
  type = object({
    bytes_per_query        = optional(number, 10737418240)
    results_retention_days = optional(number, 30)
    iceberg                = optional(set(string), [])
  })
  default = null

  validation {
    condition     = var.catalog == null || try(var.catalog.bytes_per_query >= 10000000 && var.catalog.results_retention_days >= 1, false)
    error_message = "catalog needs bytes_per_query of 10000000 or more, the least that Athena takes, and results_retention_days of 1 or more."
  }
  validation {
    condition     = alltrue([for job in try(var.catalog.iceberg, []) : contains(try(var.jobs[job].needs, []), "catalog")])
    error_message = "catalog.iceberg names jobs whose needs have catalog."
  }
}

variable "database" {
  description = "The PostgreSQL database for people and the network around it; null leaves both out."
  type = object({
    instance_class          = optional(string, "db.t4g.medium")
    storage_gib             = optional(number, 50)
    multi_az                = optional(bool, true)
    deletion_protection     = optional(bool, true)
    backup_days             = optional(number, 14)
    cidr                    = optional(string, "10.40.0.0/20")
    availability_zone_count = optional(number, 2)
  })
  default = null

  validation {
    condition     = var.database == null || try(var.database.storage_gib >= 20 && can(cidrhost(var.database.cidr, 0)), false)
    error_message = "database needs storage_gib of 20 or more and a valid cidr."
  }
  validation {
    condition     = var.database == null || strcontains(file("${path.module}/../src/pipeline/sinks/postgres/rds-ca-rsa2048-g1.pem"), "# Amazon RDS ${var.region} Root CA")
    error_message = "the certificates that come with the code know no database in this region: see rds-ca-rsa2048-g1.pem."
  }
}

variable "delivery" {
  description = "The deployment pipeline (source connection, repository, branch); null leaves it out. Set it in one environment only."
  type = object({
    connection_arn = string
    repository     = string
    branch         = optional(string, "main")
    state_bucket   = string
  })
  default = null

  validation {
    condition     = var.delivery == null || try(can(regex("^arn:[^:]+:(codestar-connections|codeconnections):", var.delivery.connection_arn)), false)
    error_message = "delivery.connection_arn is the ARN of a code connection."
  }
}
