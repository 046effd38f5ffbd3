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

variable "kms_key_arn" {
  description = "Key of everything at rest, the results of queries too."
  type        = string
}

variable "access_log_bucket" {
  description = "Bucket for the access log of the results' bucket."
  type        = string
}

variable "bytes_per_query" {
  description = "Bytes that one query may scan; it is stopped at more."
  type        = number
  default     = 10737418240

  validation {
    condition     = var.bytes_per_query >= 10000000
    error_message = "bytes_per_query is 10000000 or more, the least that Athena takes."
  }
}

variable "results_retention_days" {
  description = "Days that results of queries are kept."
  type        = number
  default     = 30
}

variable "force_destroy" {
  description = "Whether the workgroup and the results' bucket may be deleted with what is in them."
  type        = bool
  default     = false
}
