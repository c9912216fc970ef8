variable "name" {
  description = "Stands before the names of everything. Installations of one account need different ones."
  type        = string
  default     = "ordermill"
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,19}$", var.name))
    error_message = "name is 2 to 20 lower-case letters, digits and hyphens, and begins with a letter."
  }
}

variable "region" {
  type    = string
  default = "us-west-2"
}

variable "zones" {
  description = "The letters of two availability zones of the region."
  type        = list(string)
  default     = ["a", "b"]
  validation {
    condition     = length(distinct(var.zones)) == 2
    error_message = "zones has two different letters."
  }
}

variable "domain" {
  description = "The name that clients use, as shop.example.com. It gets a certificate and an address record."
  type        = string
}

variable "zone_id" {
  description = "The Route 53 zone of the domain."
  type        = string
}

variable "image_tag" {
  description = "The image that runs, by its tag in the repository. Tags are immutable."
  type        = string
  validation {
    condition     = var.image_tag != "latest"
    error_message = "image_tag names one build: a version or a commit, not latest."
  }
}

variable "client_cidrs" {
  description = "Networks that may use the API. It has no authentication: these are its only protection."
  type        = list(string)
  validation {
    condition     = length(var.client_cidrs) > 0 && !contains(var.client_cidrs, "0.0.0.0/0")
    error_message = "client_cidrs needs a network, and not 0.0.0.0/0: the API has no authentication."
  }
}

variable "admin_cidrs" {
  description = "Networks of operators: only these reach /admin, and they may use the API, too."
  type        = list(string)
  validation {
    # A listener rule has five values: /admin/* and these, with a spare one.
    condition     = length(var.admin_cidrs) <= 3 && !contains(var.admin_cidrs, "0.0.0.0/0")
    error_message = "admin_cidrs has at most 3 networks, and not 0.0.0.0/0."
  }
}

variable "services" {
  description = "The processes: services that each runs, paths that it answers (admin_paths for operators only), and its size."
  type = map(object({
    run         = list(string)
    paths       = list(string)
    admin_paths = optional(list(string), [])
    queue       = string # of whose depth more tasks are started
    cpu         = optional(number, 256)
    memory      = optional(number, 512)
    min         = optional(number, 1)
    max         = optional(number, 4)
  }))
  default = {
    order = {
      run         = ["order"]
      paths       = ["/orders*"]
      admin_paths = ["/admin/*"]
      queue       = "order.events"
    }
    inventory = {
      run   = ["inventory"]
      paths = ["/inventory*"]
      queue = "inventory.commands"
    }
    payment = {
      run         = ["payment"]
      paths       = ["/payments/*"]
      admin_paths = ["/admin/payments*", "/admin/notifications*"]
      queue       = "payment.commands"
    }
    records = {
      run   = ["shipping", "notification", "audit"]
      paths = ["/shipments/*", "/notifications*", "/audit*"]
      queue = "shipping.commands"
    }
  }
  validation {
    condition = (sort(flatten([for s in var.services : s.run])) ==
    sort(["audit", "inventory", "notification", "order", "payment", "shipping"]))
    error_message = "services must run each of order, inventory, payment, shipping, notification and audit once."
  }
}

variable "settings" {
  description = "Further settings of docs/SETTINGS.md, without secrets."
  type        = map(string)
  default     = {}
}

variable "secret_settings" {
  description = "Settings that are secrets, as MIDTRANS_SERVER_KEY: the ARN of a secret that holds the value."
  type        = map(string)
  default     = {}
}

variable "production" {
  description = "Two NAT gateways, PostgreSQL with a standby, three RabbitMQ nodes, and protection from deletion."
  type        = bool
  default     = false
}

variable "database_class" {
  type    = string
  default = "db.t4g.micro"
}

variable "broker_class" {
  description = "The smallest class that Amazon MQ has for RabbitMQ is mq.m7g.medium; three nodes need mq.m7g.large."
  type        = string
  default     = null
}

variable "alarm_email" {
  description = "Who is told of alarms and of the budget."
  type        = string
}

variable "budget_usd" {
  description = "Dollars a month; mail is sent at 80 % of it, and when it is forecast to be exceeded."
  type        = number
  default     = 200
}

variable "github_repository" {
  description = "OWNER/NAME of the repository whose releases may push images; null: none."
  type        = string
  default     = null
}
