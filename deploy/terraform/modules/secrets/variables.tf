variable "name" { type = string }

variable "region" { type = string }

variable "database_endpoint" {
  description = "host:port"
  type        = string
}

variable "broker_endpoint" {
  description = "amqps://host:port"
  type        = string
}
