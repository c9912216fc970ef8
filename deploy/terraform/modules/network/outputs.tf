output "vpc_id" { value = aws_vpc.this.id }

output "public_subnet_ids" { value = aws_subnet.public[*].id }

output "private_subnet_ids" { value = aws_subnet.private[*].id }

output "data_subnet_ids" { value = aws_subnet.data[*].id }

output "edge_security_group_id" { value = aws_security_group.this["edge"].id }

output "task_security_group_id" { value = aws_security_group.this["task"].id }

output "database_security_group_id" { value = aws_security_group.this["database"].id }

output "broker_security_group_id" { value = aws_security_group.this["broker"].id }
