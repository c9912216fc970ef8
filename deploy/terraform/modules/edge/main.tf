# HTTPS from clients to the process that answers a path; everything that is not listed is answered 404 here.

resource "aws_lb" "this" {
  name                       = var.name
  load_balancer_type         = "application"
  internal                   = false
  subnets                    = var.subnet_ids
  security_groups            = var.security_group_ids
  drop_invalid_header_fields = true
  enable_deletion_protection = var.production
  # Event streams send a comment every 15 s; a slow customer's page may be quiet for longer.
  idle_timeout = 120
  access_logs {
    bucket  = aws_s3_bucket.logs.id
    enabled = true
  }
  depends_on = [aws_s3_bucket_policy.logs]
}

resource "aws_lb_target_group" "this" {
  for_each             = var.services
  name                 = "${var.name}-${each.key}"
  vpc_id               = var.vpc_id
  target_type          = "ip"
  port                 = 8080
  protocol             = "HTTP"
  deregistration_delay = 30
  health_check {
    path = "/ready"
    # A new task serves once it is ready. ECS replaces one that is not ready for five minutes (30 s × 10): a new start
    # helps nothing while a database is away, so it must be longer than the failover of a database takes.
    interval            = 30
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 10
  }
}

resource "aws_lb_listener" "https" {
  load_balancer_arn = aws_lb.this.arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = aws_acm_certificate_validation.this.certificate_arn
  default_action {
    type = "fixed-response"
    fixed_response {
      content_type = "application/json"
      message_body = jsonencode({ title = "Not Found", status = 404 })
      status_code  = "404"
    }
  }
}

resource "aws_lb_listener_rule" "api" {
  for_each     = var.services
  listener_arn = aws_lb_listener.https.arn
  priority     = 200 + index(sort(keys(var.services)), each.key)
  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this[each.key].arn
  }
  condition {
    path_pattern {
      values = each.value.paths
    }
  }
}

locals {
  # The longest path first: /admin/payments* before /admin/*.
  admin_paths = { for pair in flatten([
    for service, s in var.services : [for path in s.admin_paths : { path = path, service = service }]
  ]) : pair.path => pair.service }
  admin_order = sort([for path in keys(local.admin_paths) : format("%03d %s", 999 - length(path), path)])
}

resource "aws_lb_listener_rule" "admin" {
  for_each     = length(var.admin_cidrs) > 0 ? local.admin_paths : {}
  listener_arn = aws_lb_listener.https.arn
  priority     = 100 + index(local.admin_order, format("%03d %s", 999 - length(each.key), each.key))
  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this[each.value].arn
  }
  condition {
    path_pattern {
      values = [each.key]
    }
  }
  condition {
    source_ip {
      values = var.admin_cidrs
    }
  }
}

resource "aws_acm_certificate" "this" {
  domain_name       = var.domain
  validation_method = "DNS"
  lifecycle {
    create_before_destroy = true
  }
}

locals {
  proof = one(aws_acm_certificate.this.domain_validation_options)
}

resource "aws_route53_record" "proof" {
  zone_id = var.zone_id
  name    = local.proof.resource_record_name
  type    = local.proof.resource_record_type
  records = [local.proof.resource_record_value]
  ttl     = 300
}

resource "aws_acm_certificate_validation" "this" {
  certificate_arn         = aws_acm_certificate.this.arn
  validation_record_fqdns = [aws_route53_record.proof.fqdn]
}

resource "aws_route53_record" "this" {
  zone_id = var.zone_id
  name    = var.domain
  type    = "A"
  alias {
    name                   = aws_lb.this.dns_name
    zone_id                = aws_lb.this.zone_id
    evaluate_target_health = false
  }
}
