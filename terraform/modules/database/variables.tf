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

variable "cidr" {
  description = "Addresses of the network."
  type        = string
}

variable "zones" {
  description = "Availability zones to use."
  type        = number
  default     = 2
}

variable "instance_class" {
  description = "Size of the database."
  type        = string
}

variable "storage_gib" {
  description = "Disk in GiB; grows by itself to four times as much."
  type        = number
}

variable "multi_az" {
  description = "Whether there is a standby instance."
  type        = bool
  default     = true
}

variable "deletion_protection" {
  description = "Whether the database refuses to be deleted."
  type        = bool
  default     = true
}

variable "backup_days" {
  description = "Days that backups are kept."
  type        = number
  default     = 14
}

variable "log_retention_days" {
  description = "Days that log groups keep their lines."
  type        = number
  default     = 365
}
