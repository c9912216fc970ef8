output "cluster" { value = aws_ecs_cluster.this.name }

output "services" { value = [for service in aws_ecs_service.this : service.name] }
