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

variable "jobs" {
  description = "Names in Glue of the jobs, by job."
  type        = map(string)
}

variable "queues" {
  description = "Names of the queues that must not wait, by what they are for."
  type        = map(string)
}

variable "dead_letters" {
  description = "Names of the dead letter queues, by what they are for."
  type        = map(string)
}

variable "functions" {
  description = "Names of the functions, by what they are for."
  type        = map(string)
}

variable "state_machine" {
  description = "ARN of the state machine that runs sets."
  type        = string
}

variable "emails" {
  description = "Addresses that get the alerts."
  type        = set(string)
  default     = []
}

variable "event_dead_letters_arn" {
  description = "Queue of alerts that EventBridge could not deliver; it takes them from the rules PREFIX-job-state and PREFIX-set-state."
  type        = string
}
