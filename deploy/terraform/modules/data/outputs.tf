output "id" { value = aws_db_instance.this.identifier }

output "endpoint" {
  description = "host:port"
  value       = aws_db_instance.this.endpoint
}
