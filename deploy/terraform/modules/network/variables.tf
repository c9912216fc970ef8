variable "name" { type = string }

variable "region" { type = string }

variable "cidr" {
  type    = string
  default = "10.0.0.0/16"
}

variable "nat_per_zone" {
  description = "A NAT gateway in each zone; otherwise one for both."
  type        = bool
}

variable "client_cidrs" {
  description = "Networks that may reach the load balancer."
  type        = list(string)
}

variable "key_arn" { type = string }

variable "zones" {
  description = "The letters of two availability zones."
  type        = list(string)
}
