variable "name" {
  description = "Name of the bucket, unique in the world."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.name))
    error_message = "a bucket's name is 3 to 63 lower case letters, digits and dashes."
  }
}

variable "partition" {
  description = "AWS partition, for ARNs."
  type        = string
  default     = "aws"
}

variable "kms_key_arn" {
  description = "Key for the objects; empty takes the one of S3 itself."
  type        = string
  default     = ""
}

variable "force_destroy" {
  description = "Whether the bucket may be deleted with objects in it."
  type        = bool
  default     = false
}

variable "expire_days" {
  description = "Days after which objects under a prefix expire, by prefix; \"\" is the whole bucket."
  type        = map(number)
  default     = {}
}

variable "access_log_bucket" {
  description = "Bucket for the access log of every bucket but the log bucket itself."
  type        = string
  default     = ""
}

variable "takes_access_logs_of_account" {
  description = "Account whose buckets may deliver their access logs here; empty allows none."
  type        = string
  default     = ""
}

variable "events" {
  description = "Whether the bucket reports its objects to EventBridge."
  type        = bool
  default     = false
}

variable "expire_tagged" {
  description = "Days after which objects with a tag expire, by the tag's name; its value is true."
  type        = map(number)
  default     = {}
}

variable "uploads" {
  description = "Who else may upload, and under which prefixes; the name is for people."
  type        = map(object({ principal = string, prefixes = list(string) }))
  default     = {}
}
