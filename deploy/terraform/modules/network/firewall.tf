# Who may talk to whom:
#
#   clients ─443▶ load balancer ─8080▶ tasks ─5432▶ PostgreSQL
#                                        ├──5671▶ RabbitMQ
#                                        └───443▶ AWS, payment gateways

locals {
  groups = {
    edge     = "load balancer"
    task     = "tasks"
    database = "PostgreSQL"
    broker   = "RabbitMQ"
  }
  inside = {
    tasks_from_edge    = { from = "edge", to = "task", port = 8080 }
    database_from_task = { from = "task", to = "database", port = 5432 }
    broker_from_task   = { from = "task", to = "broker", port = 5671 }
  }
}

resource "aws_security_group" "this" {
  for_each    = local.groups
  name        = "${var.name}-${each.key}"
  description = "Ordermill: ${each.value}"
  vpc_id      = aws_vpc.this.id
}

# There is no port 80: a redirect would come after the request, and its customer's data, had been sent in the clear.
resource "aws_vpc_security_group_ingress_rule" "clients" {
  for_each          = toset(var.client_cidrs)
  security_group_id = aws_security_group.this["edge"].id
  description       = "HTTPS of clients"
  cidr_ipv4         = each.value
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_ingress_rule" "inside" {
  for_each                     = local.inside
  security_group_id            = aws_security_group.this[each.value.to].id
  referenced_security_group_id = aws_security_group.this[each.value.from].id
  description                  = "from ${local.groups[each.value.from]}"
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
}

resource "aws_vpc_security_group_egress_rule" "inside" {
  for_each                     = local.inside
  security_group_id            = aws_security_group.this[each.value.from].id
  referenced_security_group_id = aws_security_group.this[each.value.to].id
  description                  = "to ${local.groups[each.value.to]}"
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
}

resource "aws_vpc_security_group_egress_rule" "outside" {
  security_group_id = aws_security_group.this["task"].id
  description       = "images, secrets, logs, payment gateways"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}
