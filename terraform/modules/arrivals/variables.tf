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

variable "source_bucket" {
  description = "Bucket where files arrive."
  type        = string
}

variable "destination_bucket" {
  description = "Bucket where results appear."
  type        = string
}

variable "topic_arn" {
  description = "Topic of the alerts."
  type        = string
}

variable "job_names" {
  description = "Names in Glue of the jobs, by job."
  type        = map(string)
}

variable "prefixes" {
  description = "Prefixes of the source bucket where sets arrive."
  type        = list(string)
}

variable "sets" {
  description = "The sets by name, as the variable of the root describes them."
  type        = any
}

variable "max_object_bytes" {
  description = "Files over this size are refused."
  type        = number
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

variable "reference_files" {
  description = "Keys that belong to no set: jobs take them as they are."
  type        = list(string)
  default     = []
}

variable "reserved_concurrency" {
  description = "Concurrent executions that are kept for the function; -1 keeps none."
  type        = number
  default     = -1
}
