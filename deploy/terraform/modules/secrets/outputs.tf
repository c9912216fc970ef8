output "key_arn" { value = aws_kms_key.this.arn }

output "database_password" {
  value     = random_password.database.result
  sensitive = true
}

output "broker_password" {
  value     = random_password.broker.result
  sensitive = true
}

output "arns" { value = values(local.arns) }

output "settings" {
  description = "The ARNs by the settings that they hold; a task that is given one waits for its value."
  value       = local.arns
  depends_on  = [aws_secretsmanager_secret_version.this]
}

locals {
  arns = { for setting, secret in aws_secretsmanager_secret.this : setting => secret.arn }
}
