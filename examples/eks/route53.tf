# The other variant: a load balancer for each cluster, made by whatever means, and one name with a weighted record for each.
# Nothing is made of it while `api_load_balancers` is empty. Read docs/route53-control-plane.md before you choose it.

variable "api_load_balancers" {
  description = "The load balancer of each slot: its DNS name and the hosted zone id that ELB gives it."
  type        = map(object({ dns_name = string, zone_id = string }))
  default     = {}
}

resource "aws_route53_record" "api" {
  for_each       = var.api_load_balancers
  zone_id        = var.zone_id
  name           = "api.example.com"
  type           = "A"
  set_identifier = each.key

  weighted_routing_policy {
    weight = each.key == "a" ? 100 : 0
  }

  alias {
    name                   = each.value.dns_name
    zone_id                = each.value.zone_id
    evaluate_target_health = false
  }

  lifecycle {
    ignore_changes = [weighted_routing_policy] # the daemon's
  }
}
