output "url" {
  value = "https://${var.domain}"
}

output "region" {
  value = var.region
}

output "repository_url" {
  value = module.registry.url
}

output "cluster" {
  value = module.compute.cluster
}

output "services" {
  value = module.compute.services
}

output "publisher_role_arn" {
  description = "The role with which the releases of github_repository push images."
  value       = module.identity.publisher_role_arn
}
