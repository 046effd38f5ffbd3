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

variable "artifacts_bucket" {
  description = "Bucket for the source between the stages."
  type        = string
}

variable "state_bucket" {
  description = "Bucket of Terraform's state."
  type        = string
}

variable "connection_arn" {
  description = "Connection to the repository."
  type        = string
}

variable "repository" {
  description = "The repository, OWNER/NAME."
  type        = string
}

variable "branch" {
  description = "Branch that is deployed."
  type        = string
  default     = "main"
}

variable "topic_arn" {
  description = "Topic that asks for approvals."
  type        = string
}

variable "project" {
  description = "The project's name; part of the keys of the state."
  type        = string
}

variable "log_retention_days" {
  description = "Days that log groups keep their lines."
  type        = number
  default     = 365
}
