variable "name" { type = string }

variable "secret_arns" {
  description = "The secrets that tasks are given, and no others."
  type        = list(string)
}

variable "key_arn" { type = string }

variable "repository_arn" { type = string }

variable "log_group_arn" { type = string }

variable "github_repository" {
  description = "OWNER/NAME; null: none."
  type        = string
}
