variable "name" { type = string }

variable "instance_type" { type = string }

variable "cluster" {
  description = "Three nodes in two zones instead of one node."
  type        = bool
}

variable "subnet_ids" { type = list(string) }

variable "security_group_ids" { type = list(string) }

variable "key_arn" { type = string }

variable "password" {
  type      = string
  sensitive = true
}
