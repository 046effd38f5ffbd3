variable "prefix" {
  description = "First part of the names of all resources."
  type        = string
}

variable "kms_key_arn" {
  description = "Key of everything at rest."
  type        = string
}

variable "vpc_id" {
  description = "Network of the read API's function."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets of that network, in two or three zones."
  type        = list(string)
}

variable "storage_gb" {
  description = "Most that is kept; what was not used for long goes first."
  type        = number
  default     = 1
}

variable "ecpu_per_second" {
  description = "Most work a second, in units of AWS: a GET or SET of up to 1 KB is one; more is refused, and the API goes on without the cache."
  type        = number
  default     = 5000
}

variable "force_destroy" {
  description = "Whether the secret is deleted at once, so that the same environment can be set up again."
  type        = bool
  default     = false
}
