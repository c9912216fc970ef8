output "endpoint" {
  description = "amqps://host:port"
  value       = aws_mq_broker.this.instances[0].endpoints[0]
}
