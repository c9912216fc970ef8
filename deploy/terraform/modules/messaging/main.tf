# RabbitMQ with TLS only (Amazon MQ offers nothing else), on version 3.13: Ordermill was never run on 4.x.

resource "aws_mq_broker" "this" {
  broker_name                = var.name
  engine_type                = "RabbitMQ"
  engine_version             = "3.13"
  host_instance_type         = var.instance_type
  deployment_mode            = var.cluster ? "CLUSTER_MULTI_AZ" : "SINGLE_INSTANCE"
  subnet_ids                 = var.cluster ? var.subnet_ids : [var.subnet_ids[0]]
  security_groups            = var.security_group_ids
  publicly_accessible        = false
  auto_minor_version_upgrade = true

  encryption_options {
    kms_key_id        = var.key_arn
    use_aws_owned_key = false
  }

  logs {
    general = true
  }

  user {
    username = "ordermill"
    password = var.password
  }
}
