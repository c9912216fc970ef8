# What a plan must contain, whatever else changes. The providers are mocked: no account is needed.

mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
}

mock_provider "random" {}

variables {
  domain       = "shop.example.com"
  zone_id      = "Z0123456789ABCDEFGHIJ"
  image_tag    = "0.2.0"
  client_cidrs = ["203.0.113.0/24"]
  admin_cidrs  = ["203.0.113.7/32"]
  alarm_email  = "operations@example.com"
}

run "refuses_the_world_as_client" {
  command = plan
  variables { client_cidrs = ["0.0.0.0/0"] }
  expect_failures = [var.client_cidrs]
}

run "refuses_the_world_as_operator" {
  command = plan
  variables { admin_cidrs = ["0.0.0.0/0"] }
  expect_failures = [var.admin_cidrs]
}

run "refuses_a_tag_that_moves" {
  command = plan
  variables { image_tag = "latest" }
  expect_failures = [var.image_tag]
}

run "refuses_to_leave_a_service_out" {
  command = plan
  variables {
    services = { order = { run = ["order"], paths = ["/orders*"], queue = "order.events" } }
  }
  expect_failures = [var.services]
}

run "network" {
  command = plan
  module { source = "./modules/network" }
  variables {
    name         = "test"
    region       = "us-west-2"
    zones        = ["a", "b"]
    nat_per_zone = false
    key_arn      = "arn:aws:kms:us-west-2:123456789012:key/test"
  }
  assert {
    condition = alltrue([for rule in aws_vpc_security_group_ingress_rule.clients :
    rule.from_port == 443 && rule.to_port == 443 && rule.cidr_ipv4 != "0.0.0.0/0"])
    error_message = "clients reach something else than port 443, or the world is a client"
  }
  assert {
    condition     = toset([for rule in aws_vpc_security_group_ingress_rule.inside : rule.from_port]) == toset([8080, 5432, 5671])
    error_message = "other ports than 8080, 5432 and 5671 are open inside"
  }
  assert {
    condition     = alltrue([for subnet in concat(aws_subnet.public, aws_subnet.private, aws_subnet.data) : !subnet.map_public_ip_on_launch])
    error_message = "a subnet gives out public addresses"
  }
  assert {
    condition     = length(distinct(concat(aws_subnet.public[*].cidr_block, aws_subnet.private[*].cidr_block, aws_subnet.data[*].cidr_block))) == 6
    error_message = "subnets overlap"
  }
  assert {
    condition     = length(aws_nat_gateway.this) == 1
    error_message = "more than one NAT gateway is paid for"
  }
}

run "a_nat_gateway_in_each_zone" {
  command = plan
  module { source = "./modules/network" }
  variables {
    name         = "test"
    region       = "us-west-2"
    zones        = ["a", "b"]
    nat_per_zone = true
    key_arn      = "arn:aws:kms:us-west-2:123456789012:key/test"
  }
  assert {
    condition     = length(aws_nat_gateway.this) == 2
    error_message = "a zone depends on the other one's NAT gateway"
  }
}

run "database" {
  command = plan
  module { source = "./modules/data" }
  variables {
    name               = "test"
    instance_class     = "db.t4g.micro"
    production         = true
    subnet_ids         = ["subnet-1", "subnet-2"]
    security_group_ids = ["sg-1"]
    key_arn            = "arn:aws:kms:us-west-2:123456789012:key/test"
    password           = "secret"
  }
  assert {
    condition     = aws_db_instance.this.storage_encrypted && !aws_db_instance.this.publicly_accessible
    error_message = "the database is public, or not encrypted"
  }
  assert {
    condition     = anytrue([for p in aws_db_parameter_group.this.parameter : p.name == "rds.force_ssl" && p.value == "1"])
    error_message = "the database takes connections without TLS"
  }
  assert {
    condition     = aws_db_instance.this.multi_az && aws_db_instance.this.deletion_protection && aws_db_instance.this.backup_retention_period >= 14
    error_message = "production has no standby, no protection from deletion, or too few backups"
  }
  assert {
    condition     = !aws_db_instance.this.skip_final_snapshot && aws_db_instance.this.final_snapshot_identifier != null
    error_message = "production can be deleted without a last snapshot"
  }
}

run "broker" {
  command = plan
  module { source = "./modules/messaging" }
  variables {
    name               = "test"
    instance_type      = "mq.m7g.large"
    cluster            = true
    subnet_ids         = ["subnet-1", "subnet-2"]
    security_group_ids = ["sg-1"]
    key_arn            = "arn:aws:kms:us-west-2:123456789012:key/test"
    password           = "secret-of-the-test"
  }
  assert {
    condition     = !aws_mq_broker.this.publicly_accessible && !aws_mq_broker.this.encryption_options[0].use_aws_owned_key
    error_message = "the broker is public, or not encrypted with our key"
  }
  assert {
    condition     = aws_mq_broker.this.deployment_mode == "CLUSTER_MULTI_AZ" && length(aws_mq_broker.this.subnet_ids) == 2
    error_message = "production has one node, or one zone"
  }
}

run "identity" {
  command = apply # of mocks: the ARN of the identity provider is known then only
  module { source = "./modules/identity" }
  variables {
    name              = "test"
    secret_arns       = ["arn:aws:secretsmanager:us-west-2:123456789012:secret:test"]
    key_arn           = "arn:aws:kms:us-west-2:123456789012:key/test"
    repository_arn    = "arn:aws:ecr:us-west-2:123456789012:repository/test"
    log_group_arn     = "arn:aws:logs:us-west-2:123456789012:log-group:test"
    github_repository = "shop/ordermill"
  }
  assert {
    condition = alltrue([for s in concat(jsondecode(aws_iam_role_policy.execution.policy).Statement, jsondecode(aws_iam_role_policy.publisher[0].policy).Statement) :
    s.Action == "ecr:GetAuthorizationToken" || (s.Resource != "*" && s.Resource != ["*"])])
    error_message = "a role may use more than named resources"
  }
  assert {
    condition = alltrue([for s in jsondecode(aws_iam_role_policy.execution.policy).Statement :
    alltrue([for action in flatten([s.Action]) : !strcontains(action, "*")])])
    error_message = "a role has actions by a pattern"
  }
  assert {
    condition = [for s in jsondecode(aws_iam_role_policy.execution.policy).Statement : s.Resource if s.Action == "secretsmanager:GetSecretValue"] == [
    ["arn:aws:secretsmanager:us-west-2:123456789012:secret:test"]]
    error_message = "tasks can read other secrets than their own"
  }
  assert {
    condition     = jsondecode(aws_iam_role.publisher[0].assume_role_policy).Statement[0].Condition.StringLike["token.actions.githubusercontent.com:sub"] == "repo:shop/ordermill:ref:refs/tags/v*"
    error_message = "others than releases of the repository may push images"
  }
}

run "edge" {
  command = plan
  module { source = "./modules/edge" }
  variables {
    name               = "test"
    production         = true
    vpc_id             = "vpc-1"
    subnet_ids         = ["subnet-1", "subnet-2"]
    security_group_ids = ["sg-1"]
    services = {
      order   = { paths = ["/orders*"], admin_paths = ["/admin/*"] }
      payment = { paths = ["/payments/*"], admin_paths = ["/admin/payments*"] }
    }
  }
  assert {
    condition     = aws_lb_listener.https.port == 443 && aws_lb_listener.https.protocol == "HTTPS" && startswith(aws_lb_listener.https.ssl_policy, "ELBSecurityPolicy-TLS13-1-2")
    error_message = "the listener is not HTTPS on 443 with TLS 1.2 or newer"
  }
  assert {
    condition     = aws_lb_listener.https.default_action[0].fixed_response[0].status_code == "404"
    error_message = "paths that are not listed are passed on"
  }
  assert {
    condition = alltrue([for rule in aws_lb_listener_rule.admin :
    anytrue([for c in rule.condition : try(c.source_ip[0].values == tolist(["203.0.113.7/32"]), false)])])
    error_message = "a path of operators is open to others"
  }
  assert {
    condition = alltrue([for rule in aws_lb_listener_rule.api :
    alltrue([for c in rule.condition : alltrue([for path in c.path_pattern[0].values : !startswith(path, "/admin")])])])
    error_message = "the API's rules have a path of operators"
  }
  assert {
    condition     = aws_lb_listener_rule.admin["/admin/payments*"].priority < aws_lb_listener_rule.admin["/admin/*"].priority
    error_message = "the shorter path hides the longer one"
  }
  assert {
    condition     = aws_lb.this.drop_invalid_header_fields && aws_lb.this.enable_deletion_protection && aws_lb.this.access_logs[0].enabled
    error_message = "the load balancer is not protected, or keeps no log"
  }
}

run "no_operators_no_admin" {
  command = plan
  module { source = "./modules/edge" }
  variables {
    name               = "test"
    production         = false
    vpc_id             = "vpc-1"
    subnet_ids         = ["subnet-1", "subnet-2"]
    security_group_ids = ["sg-1"]
    admin_cidrs        = []
    services           = { order = { paths = ["/orders*"], admin_paths = ["/admin/*"] } }
  }
  assert {
    condition     = length(aws_lb_listener_rule.admin) == 0
    error_message = "without operators' networks /admin is open"
  }
}

run "compute" {
  command = plan
  module { source = "./modules/compute" }
  variables {
    name   = "test"
    region = "us-west-2"
    image  = "repository:0.2.0"
    services = {
      order   = { run = ["order"], queue = "order.events", cpu = 256, memory = 512, min = 1, max = 4 }
      payment = { run = ["payment"], queue = "payment.commands", cpu = 256, memory = 512, min = 2, max = 4 }
    }
    settings           = { ORDERMILL_HOSTS = "shop.example.com" }
    secrets            = { DATABASE_URL = "arn:1", AMQP_URL = "arn:2", MIDTRANS_SERVER_KEY = "arn:3" }
    subnet_ids         = ["subnet-1", "subnet-2"]
    security_group_ids = ["sg-1"]
    target_group_arns  = { order = "arn:4", payment = "arn:5" }
    execution_role_arn = "arn:6"
    task_role_arn      = "arn:7"
    log_group          = "logs"
    broker_name        = "test"
  }
  assert {
    condition = alltrue([for task in aws_ecs_task_definition.this : alltrue([for c in jsondecode(task.container_definitions) :
    c.readonlyRootFilesystem && c.user == "10001" && c.linuxParameters.capabilities.drop == ["ALL"] && c.stopTimeout > 20])])
    error_message = "a container can write to its root, is root, has capabilities, or is killed before it has ended"
  }
  assert {
    condition = alltrue([for task in aws_ecs_task_definition.this : alltrue([for c in jsondecode(task.container_definitions) :
    alltrue([for e in c.environment : !contains(["DATABASE_URL", "AMQP_URL", "MIDTRANS_SERVER_KEY"], e.name)])])])
    error_message = "a secret is in the environment of a task's definition"
  }
  assert {
    condition     = [for s in jsondecode(aws_ecs_task_definition.this["order"].container_definitions)[0].secrets : s.name] == ["AMQP_URL", "DATABASE_URL"]
    error_message = "the order service is given another service's secret"
  }
  assert {
    condition     = alltrue([for service in aws_ecs_service.this : !service.network_configuration[0].assign_public_ip && service.deployment_circuit_breaker[0].rollback])
    error_message = "a task has a public address, or a failed deployment is not rolled back"
  }
  assert {
    condition     = aws_ecs_service.this["payment"].desired_count == 2 && aws_appautoscaling_target.this["payment"].min_capacity == 2
    error_message = "there are fewer tasks than asked for"
  }
}

run "everything_fits_together" {
  command = plan
}
