variable "name" { type = string }

variable "region" { type = string }

variable "image" { type = string }

variable "services" {
  type = map(object({
    run    = list(string)
    queue  = string
    cpu    = number
    memory = number
    min    = number
    max    = number
  }))
}

variable "settings" { type = map(string) }

variable "secrets" {
  description = "ARNs of secrets by the settings that they hold."
  type        = map(string)
}

variable "subnet_ids" { type = list(string) }

variable "security_group_ids" { type = list(string) }

variable "target_group_arns" { type = map(string) }

variable "execution_role_arn" { type = string }

variable "task_role_arn" { type = string }

variable "log_group" { type = string }

variable "broker_name" { type = string }
