# The log, and mail to one address: of alarms, and of a month that becomes expensive.

resource "aws_cloudwatch_log_group" "this" {
  name              = "/${var.name}/services"
  retention_in_days = 7
  kms_key_id        = var.key_arn
}

resource "aws_sns_topic" "this" {
  name              = "${var.name}-alarms"
  kms_master_key_id = var.key_arn
}

resource "aws_sns_topic_subscription" "mail" {
  topic_arn = aws_sns_topic.this.arn
  protocol  = "email"
  endpoint  = var.alarm_email
}

locals {
  # Each when it is so for five minutes.
  alarms = merge(
    {
      "server-errors" = {
        text       = "more than 10 answers of 5xx in a minute (503: orders are turned away)"
        namespace  = "AWS/ApplicationELB", metric = "HTTPCode_Target_5XX_Count", statistic = "Sum"
        above      = true, threshold = 10
        dimensions = { LoadBalancer = var.load_balancer }
      }
      "broker-memory" = {
        text       = "RabbitMQ uses more than 1 GB: at its limit it blocks publishers"
        namespace  = "AWS/AmazonMQ", metric = "RabbitMQMemUsed", statistic = "Maximum"
        above      = true, threshold = 1000000000
        dimensions = { Broker = var.broker_name }
      }
      "broker-queues" = {
        text       = "more than 10,000 messages wait in RabbitMQ"
        namespace  = "AWS/AmazonMQ", metric = "MessageReadyCount", statistic = "Maximum"
        above      = true, threshold = 10000
        dimensions = { Broker = var.broker_name }
      }
      "database-storage" = {
        text       = "PostgreSQL has less than 2 GB of storage left"
        namespace  = "AWS/RDS", metric = "FreeStorageSpace", statistic = "Minimum"
        above      = false, threshold = 2000000000
        dimensions = { DBInstanceIdentifier = var.database_id }
      }
      "database-cpu" = {
        text       = "the processor of PostgreSQL is busy"
        namespace  = "AWS/RDS", metric = "CPUUtilization", statistic = "Average"
        above      = true, threshold = 85
        dimensions = { DBInstanceIdentifier = var.database_id }
      }
    },
    { for service, group in var.target_groups : "not-ready-${service}" => {
      text       = "a process of ${service} is not ready"
      namespace  = "AWS/ApplicationELB", metric = "UnHealthyHostCount", statistic = "Maximum"
      above      = true, threshold = 0
      dimensions = { LoadBalancer = var.load_balancer, TargetGroup = group }
    } }
  )
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each            = local.alarms
  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.text
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  comparison_operator = each.value.above ? "GreaterThanThreshold" : "LessThanThreshold"
  threshold           = each.value.threshold
  period              = 60
  evaluation_periods  = 5
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.this.arn]
  ok_actions          = [aws_sns_topic.this.arn]
}

resource "aws_budgets_budget" "month" {
  name         = "${var.name}-month"
  budget_type  = "COST"
  time_unit    = "MONTHLY"
  limit_amount = tostring(var.budget_usd)
  limit_unit   = "USD"
  notification {
    notification_type          = "ACTUAL"
    comparison_operator        = "GREATER_THAN"
    threshold                  = 80
    threshold_type             = "PERCENTAGE"
    subscriber_email_addresses = [var.alarm_email]
  }
  notification {
    notification_type          = "FORECASTED"
    comparison_operator        = "GREATER_THAN"
    threshold                  = 100
    threshold_type             = "PERCENTAGE"
    subscriber_email_addresses = [var.alarm_email]
  }
}
