# One key for everything at rest, two passwords, and the two URLs that the processes are given.

data "aws_caller_identity" "this" {}

resource "aws_kms_key" "this" {
  description         = "${var.name}: database, broker, secrets, images, logs, alarms"
  enable_key_rotation = true
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "TheAccountDecidesByIAM"
        Effect    = "Allow"
        Action    = "kms:*"
        Resource  = "*"
        Principal = { AWS = "arn:aws:iam::${data.aws_caller_identity.this.account_id}:root" }
      },
      {
        Sid       = "LogsAndAlarms"
        Effect    = "Allow"
        Action    = ["kms:Decrypt", "kms:Encrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]
        Resource  = "*"
        Principal = { Service = ["logs.${var.region}.amazonaws.com", "cloudwatch.amazonaws.com", "budgets.amazonaws.com"] }
      },
    ]
  })
}

resource "aws_kms_alias" "this" {
  name          = "alias/${var.name}"
  target_key_id = aws_kms_key.this.key_id
}

# Letters and digits only: they stand in URLs. Amazon MQ refuses some of the others anyway.
resource "random_password" "database" {
  length  = 40
  special = false
}

resource "random_password" "broker" {
  length  = 40
  special = false
}

locals {
  settings = toset(["DATABASE_URL", "AMQP_URL"])
  values = {
    DATABASE_URL = "postgres://ordermill:${random_password.database.result}@${var.database_endpoint}/ordermill?sslmode=require"
    AMQP_URL     = "amqps://ordermill:${random_password.broker.result}@${trimprefix(var.broker_endpoint, "amqps://")}/%2f"
  }
}

resource "aws_secretsmanager_secret" "this" {
  for_each   = local.settings
  name       = "${var.name}/${each.value}"
  kms_key_id = aws_kms_key.this.arn
  # Otherwise the name is taken for a month after `destroy`, and the next installation fails.
  recovery_window_in_days = 0
}

resource "aws_secretsmanager_secret_version" "this" {
  for_each      = local.settings
  secret_id     = aws_secretsmanager_secret.this[each.value].id
  secret_string = local.values[each.value]
}
