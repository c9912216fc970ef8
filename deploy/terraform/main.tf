# Ordermill on AWS: ECS Fargate, RDS for PostgreSQL, Amazon MQ for RabbitMQ. docs/AWS.md has the commands and costs.

locals {
  broker_class = coalesce(var.broker_class, var.production ? "mq.m7g.large" : "mq.m7g.medium")
}

module "network" {
  source       = "./modules/network"
  name         = var.name
  region       = var.region
  zones        = var.zones
  nat_per_zone = var.production
  client_cidrs = distinct(concat(var.client_cidrs, var.admin_cidrs))
  key_arn      = module.secrets.key_arn
}

module "secrets" {
  source            = "./modules/secrets"
  name              = var.name
  region            = var.region
  database_endpoint = module.data.endpoint
  broker_endpoint   = module.messaging.endpoint
}

module "registry" {
  source  = "./modules/registry"
  name    = var.name
  key_arn = module.secrets.key_arn
}

module "identity" {
  source            = "./modules/identity"
  name              = var.name
  secret_arns       = concat(module.secrets.arns, values(var.secret_settings))
  key_arn           = module.secrets.key_arn
  repository_arn    = module.registry.arn
  log_group_arn     = module.observability.log_group_arn
  github_repository = var.github_repository
}

module "data" {
  source             = "./modules/data"
  name               = var.name
  instance_class     = var.database_class
  production         = var.production
  subnet_ids         = module.network.data_subnet_ids
  security_group_ids = [module.network.database_security_group_id]
  key_arn            = module.secrets.key_arn
  password           = module.secrets.database_password
}

module "messaging" {
  source             = "./modules/messaging"
  name               = var.name
  instance_type      = local.broker_class
  cluster            = var.production
  subnet_ids         = module.network.data_subnet_ids
  security_group_ids = [module.network.broker_security_group_id]
  key_arn            = module.secrets.key_arn
  password           = module.secrets.broker_password
}

module "edge" {
  source             = "./modules/edge"
  name               = var.name
  production         = var.production
  vpc_id             = module.network.vpc_id
  subnet_ids         = module.network.public_subnet_ids
  security_group_ids = [module.network.edge_security_group_id]
  domain             = var.domain
  zone_id            = var.zone_id
  services           = var.services
  admin_cidrs        = var.admin_cidrs
}

module "compute" {
  source             = "./modules/compute"
  name               = var.name
  region             = var.region
  image              = "${module.registry.url}:${var.image_tag}"
  services           = var.services
  settings           = merge({ ORDERMILL_HOSTS = var.domain }, var.settings)
  secrets            = merge(module.secrets.settings, var.secret_settings)
  subnet_ids         = module.network.private_subnet_ids
  security_group_ids = [module.network.task_security_group_id]
  target_group_arns  = module.edge.target_group_arns
  execution_role_arn = module.identity.execution_role_arn
  task_role_arn      = module.identity.task_role_arn
  log_group          = module.observability.log_group
  broker_name        = var.name
}

module "observability" {
  source        = "./modules/observability"
  name          = var.name
  key_arn       = module.secrets.key_arn
  alarm_email   = var.alarm_email
  budget_usd    = var.budget_usd
  load_balancer = module.edge.arn_suffix
  target_groups = module.edge.target_group_arn_suffixes
  database_id   = module.data.id
  broker_name   = var.name
}
