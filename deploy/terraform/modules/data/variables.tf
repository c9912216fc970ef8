variable "name" { type = string }

variable "instance_class" { type = string }

variable "production" {
  description = "A standby in another zone, backups for 14 days, and protection from deletion."
  type        = bool
}

variable "subnet_ids" { type = list(string) }

variable "security_group_ids" { type = list(string) }

variable "key_arn" { type = string }

variable "password" {
  type      = string
  sensitive = true
}
