variable "name" { type = string }

variable "production" {
  description = "Protection from deletion."
  type        = bool
}

variable "vpc_id" { type = string }

variable "subnet_ids" { type = list(string) }

variable "security_group_ids" { type = list(string) }

variable "domain" { type = string }

variable "zone_id" { type = string }

variable "services" {
  type = map(object({ paths = list(string), admin_paths = list(string) }))
}

variable "admin_cidrs" { type = list(string) }

variable "requests_per_five_minutes" {
  description = "From one address, before the firewall answers 403."
  type        = number
  default     = 60000
}
