# A Fargate service for each process, all from one image: `serve --services …` says what runs.

resource "aws_ecs_cluster" "this" {
  name = var.name
  setting {
    name  = "containerInsights"
    value = "enabled"
  }
}

locals {
  settings = merge({
    ORDERMILL_LISTEN     = "0.0.0.0:8080"
    ORDERMILL_LOG_FORMAT = "json"
  }, var.settings)
  # Only the payment service has use for the keys of gateways; each process names settings without effect at its start.
  payment_only = { for service, s in var.services : service => contains(s.run, "payment") }
}

resource "aws_ecs_task_definition" "this" {
  for_each                 = var.services
  family                   = "${var.name}-${each.key}"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = each.value.cpu
  memory                   = each.value.memory
  execution_role_arn       = var.execution_role_arn
  task_role_arn            = var.task_role_arn
  runtime_platform {
    cpu_architecture        = "ARM64"
    operating_system_family = "LINUX"
  }
  container_definitions = jsonencode([{
    name                   = "ordermill"
    image                  = var.image
    command                = ["serve", "--services", join(",", each.value.run)]
    essential              = true
    user                   = "10001"
    readonlyRootFilesystem = true
    linuxParameters        = { capabilities = { drop = ["ALL"] }, initProcessEnabled = false }
    # More than ORDERMILL_SHUTDOWN_TIMEOUT, so that what is in progress ends in good order.
    stopTimeout  = 60
    portMappings = [{ containerPort = 8080, protocol = "tcp" }]
    environment  = [for name, value in local.settings : { name = name, value = value }]
    secrets = [
      for name, arn in var.secrets : { name = name, valueFrom = arn }
      if local.payment_only[each.key] || !startswith(name, "MIDTRANS_")
    ]
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = var.log_group
        awslogs-region        = var.region
        awslogs-stream-prefix = each.key
      }
    }
  }])
}

resource "aws_ecs_service" "this" {
  for_each                           = var.services
  name                               = each.key
  cluster                            = aws_ecs_cluster.this.id
  task_definition                    = aws_ecs_task_definition.this[each.key].arn
  launch_type                        = "FARGATE"
  platform_version                   = "LATEST"
  desired_count                      = each.value.min
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  # The first start of an installation makes schemas and queues.
  health_check_grace_period_seconds = 180
  enable_ecs_managed_tags           = true
  propagate_tags                    = "SERVICE"
  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }
  network_configuration {
    subnets          = var.subnet_ids
    security_groups  = var.security_group_ids
    assign_public_ip = false
  }
  load_balancer {
    target_group_arn = var.target_group_arns[each.key]
    container_name   = "ordermill"
    container_port   = 8080
  }
  lifecycle {
    ignore_changes = [desired_count] # the autoscaling's
  }
}
