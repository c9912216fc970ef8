output "arn_suffix" { value = aws_lb.this.arn_suffix }

output "target_group_arns" {
  description = "By service; known once the listener forwards to them, which ECS insists on."
  value       = { for name, group in aws_lb_target_group.this : name => group.arn }
  depends_on  = [aws_lb_listener_rule.api]
}

output "target_group_arn_suffixes" {
  value = { for name, group in aws_lb_target_group.this : name => group.arn_suffix }
}
