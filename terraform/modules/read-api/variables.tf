variable "prefix" {
  description = "First part of the names of all resources."
  type        = string
}

variable "account" {
  description = "AWS account."
  type        = string
}

variable "partition" {
  description = "AWS partition, for ARNs."
  type        = string
}

variable "region" {
  description = "AWS region."
  type        = string
}

variable "kms_key_arn" {
  description = "Key of everything at rest."
  type        = string
}

variable "package" {
  description = "The function, a .zip."
  type        = string
}

variable "lookup_tables" {
  description = "Lookup tables by job: restaurants, carparks."
  type        = map(string)
  default     = {}
}

variable "database_url" {
  description = "Address of the database, without user and password; empty without one."
  type        = string
  default     = ""
}

variable "database_user" {
  description = "User of the database that logs in with the function's role; empty without a database."
  type        = string
  default     = ""
}

variable "database_login_arn" {
  description = "ARN of this user for rds-db:connect; empty without a database."
  type        = string
  default     = ""
}

variable "subnet_ids" {
  description = "Subnets of the database's network; empty without one."
  type        = list(string)
  default     = []
}

variable "security_group_ids" {
  description = "Security groups for the function in that network."
  type        = list(string)
  default     = []
}

variable "cache_url" {
  description = "Address of the cache of answers, valkeys://HOST:PORT; empty without one."
  type        = string
  default     = ""
}

variable "cache_secret_arn" {
  description = "Secret with user and password of the cache; empty without one."
  type        = string
  default     = ""
}

variable "log_retention_days" {
  description = "Days that log groups keep their lines."
  type        = number
  default     = 365
}

variable "runtime" {
  description = "Python of the function."
  type        = string
  default     = "python3.13"
}

variable "requests_per_second" {
  description = "Calls a second that are answered; more get 429."
  type        = number
  default     = 50
}

variable "burst" {
  description = "Calls that may come at once, before that rate counts."
  type        = number
  default     = 100
}

variable "reserved_concurrency" {
  description = "Concurrent executions that are kept for the function; -1 keeps none."
  type        = number
  default     = -1
}

variable "force_destroy" {
  description = "Whether the key's secret is deleted at once, so that the same environment can be set up again."
  type        = bool
  default     = false
}
