output "execution_role_arn" { value = aws_iam_role.execution.arn }

output "task_role_arn" { value = aws_iam_role.task.arn }

output "publisher_role_arn" { value = one(aws_iam_role.publisher[*].arn) }
