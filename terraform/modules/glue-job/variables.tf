variable "name" {
  description = "The job's name; its results lie under this prefix of the destination bucket."
  type        = string
}

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

variable "script_key" {
  description = "Key of the job's script in the artifacts bucket; has the content's hash in it."
  type        = string
}

variable "run_files_tag" {
  description = "Tag that the job gives to files of its runs, so that the bucket can let them expire."
  type        = string
}

variable "buckets" {
  description = "Names of the three buckets."
  type        = object({ source = string, destination = string, artifacts = string })
}

variable "inputs" {
  description = "Prefixes of the source bucket that the job may read."
  type        = list(string)
}

variable "kms_key_arn" {
  description = "Key of everything at rest."
  type        = string
}

variable "code_key" {
  description = "Key of the packages' .zip in the artifacts bucket; has the content's hash in it."
  type        = string
}

variable "security_configuration" {
  description = "Name of the Glue security configuration."
  type        = string
}

variable "results_of" {
  description = "Jobs whose results this job may read."
  type        = list(string)
  default     = []
}

variable "wheel_keys" {
  description = "Keys of the wheels in the artifacts bucket."
  type        = list(string)
  default     = []
}

variable "arguments" {
  description = "Arguments of every run, in addition to Glue's own."
  type        = map(string)
  default     = {}
}

variable "environment" {
  description = "Variables of the driver, in addition to AWS_DEFAULT_REGION and RUN_FILES_TAG; Glue puts CUSTOMER_ before their names."
  type        = map(string)
  default     = {}
}

variable "glue_version" {
  description = "Version of Glue."
  type        = string
  default     = "5.1"
}

variable "worker_type" {
  description = "Size of a worker."
  type        = string
  default     = "G.1X"
}

variable "max_workers" {
  description = "Most workers that auto-scaling may take."
  type        = number
  default     = 10
}

variable "timeout_minutes" {
  description = "Minutes after which a run is stopped."
  type        = number
  default     = 120
}

variable "notify_after_minutes" {
  description = "Minutes after which Glue reports a run that still goes on."
  type        = number
  default     = 60
}

variable "flex" {
  description = "Whether runs use spare capacity: cheaper, may wait and be interrupted."
  type        = bool
  default     = false
}

variable "log_retention_days" {
  description = "Days that the log groups keep their lines."
  type        = number
  default     = 365
}

variable "queue_arn" {
  description = "Queue that the job may send to; empty for none."
  type        = string
  default     = ""
}

variable "lookup_table_arn" {
  description = "DynamoDB table that the job may fill; empty for none."
  type        = string
  default     = ""
}

variable "catalog_database" {
  description = "Database of the Data Catalog where the job may register its tables; empty for none."
  type        = string
  default     = ""
}

variable "iceberg" {
  description = "Whether the job may delete tables of that database: tables of Iceberg that a killed run has made."
  type        = bool
  default     = false
}

variable "database_secret_arn" {
  description = "Secret with the database's password; empty for none."
  type        = string
  default     = ""
}

variable "connections" {
  description = "Glue connections (networks) of the job."
  type        = list(string)
  default     = []
}

variable "subnet_ids" {
  description = "Subnets of these connections."
  type        = list(string)
  default     = []
}

variable "security_group_ids" {
  description = "Security groups of these connections."
  type        = list(string)
  default     = []
}
