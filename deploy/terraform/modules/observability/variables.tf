variable "name" { type = string }

variable "key_arn" { type = string }

variable "alarm_email" { type = string }

variable "budget_usd" { type = number }

variable "load_balancer" {
  description = "The suffix of its ARN."
  type        = string
}

variable "target_groups" {
  description = "The suffixes of their ARNs, by service."
  type        = map(string)
}

variable "database_id" { type = string }

variable "broker_name" { type = string }
