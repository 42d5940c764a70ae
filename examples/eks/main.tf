# What stands outside of both clusters: the load balancer with its rule, a target group for each of two slots, the name, and
# the rights of the daemon. docs/eks.md walks through it. It has not been applied to a live account; read its plan first.
#
# A slot outlives the clusters in it. Today slot a has shop-v134 (blue) and slot b has shop-v137 (green). When blue is
# deleted, the next cluster moves into slot a: nothing here changes but `clusters` and `green_slot`.

terraform {
  required_version = ">= 1.5"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.40"
    }
  }
}

provider "aws" {
  region = var.region
}

variable "region" {
  type    = string
  default = "eu-west-1"
}

locals {
  slots = toset(["a", "b"])
}

variable "clusters" {
  description = "The EKS cluster in each slot. They exist already; their API servers take access entries (authentication mode API or API_AND_CONFIG_MAP)."
  type        = map(string)
  default     = { a = "shop-v134", b = "shop-v137" }
}

variable "green_slot" {
  description = "The slot that the test listener leads to: green's."
  type        = string
  default     = "b"
}

variable "management_cluster" {
  description = "The EKS cluster that clusterswitch runs in. It is neither of the two."
  type        = string
  default     = "management"
}

variable "vpc_id" {
  type = string
}

variable "vpc_cidr" {
  description = "Where the pods of both clusters are."
  type        = string
}

variable "public_subnet_ids" {
  type = list(string)
}

variable "certificate_arn" {
  type = string
}

variable "zone_id" {
  type = string
}

variable "test_cidrs" {
  description = "Who may try green before users do: where the daemon's probes come from, such as the NAT gateways of the management cluster."
  type        = list(string)
}

# The load balancer.

resource "aws_security_group" "public" {
  name        = "public-alb"
  description = "The load balancer in front of both clusters"
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "users" {
  security_group_id = aws_security_group.public.id
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_ingress_rule" "test" {
  for_each          = toset(var.test_cidrs)
  security_group_id = aws_security_group.public.id
  cidr_ipv4         = each.value
  ip_protocol       = "tcp"
  from_port         = 8443
  to_port           = 8443
}

resource "aws_vpc_security_group_egress_rule" "pods" {
  security_group_id = aws_security_group.public.id
  cidr_ipv4         = var.vpc_cidr
  ip_protocol       = "tcp"
  from_port         = 8080
  to_port           = 8080
}

resource "aws_lb" "public" {
  name               = "public"
  load_balancer_type = "application"
  subnets            = var.public_subnet_ids
  security_groups    = [aws_security_group.public.id]
}

resource "aws_lb_target_group" "shop" {
  for_each             = local.slots
  name                 = "shop-${each.key}"
  target_type          = "ip"
  protocol             = "HTTP"
  port                 = 8080
  vpc_id               = var.vpc_id
  deregistration_delay = 60

  health_check {
    path = "/healthz"
  }
}

resource "aws_lb_listener" "https" {
  load_balancer_arn = aws_lb.public.arn
  protocol          = "HTTPS"
  port              = 443
  certificate_arn   = var.certificate_arn

  default_action {
    type = "fixed-response"

    fixed_response {
      content_type = "text/plain"
      status_code  = "404"
    }
  }
}

# The rule that the daemon shifts. The weights here count when the rule is made, and never again.
resource "aws_lb_listener_rule" "shop" {
  listener_arn = aws_lb_listener.https.arn
  priority     = 10

  condition {
    host_header {
      values = ["shop.example.com"]
    }
  }

  action {
    type = "forward"

    forward {
      target_group {
        arn    = aws_lb_target_group.shop["a"].arn
        weight = 100
      }

      target_group {
        arn    = aws_lb_target_group.shop["b"].arn
        weight = 0
      }
    }
  }

  lifecycle {
    ignore_changes = [
      action, # weights and stickiness are the daemon's
      tags["clusterswitch.io/mark"],
      tags["clusterswitch.io/stickiness"],
      tags_all["clusterswitch.io/mark"],
      tags_all["clusterswitch.io/stickiness"],
    ]
  }
}

# The way in by which green is tried before any user comes: the same load balancer, a port of its own, green alone. It isn't
# shifted, so Terraform keeps it.
resource "aws_lb_listener" "test" {
  load_balancer_arn = aws_lb.public.arn
  protocol          = "HTTPS"
  port              = 8443
  certificate_arn   = var.certificate_arn

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.shop[var.green_slot].arn
  }
}

# One name for users, and no weights in it: a weighted record in front of the rule would multiply the shares.
resource "aws_route53_record" "shop" {
  zone_id = var.zone_id
  name    = "shop.example.com"
  type    = "A"

  alias {
    name                   = aws_lb.public.dns_name
    zone_id                = aws_lb.public.zone_id
    evaluate_target_health = false
  }
}

# The daemon's rights at AWS, by EKS Pod Identity. The chart's service account is clusterswitch in namespace clusterswitch.

data "aws_iam_policy_document" "pod_identity" {
  statement {
    actions = ["sts:AssumeRole", "sts:TagSession"]

    principals {
      type        = "Service"
      identifiers = ["pods.eks.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/kubernetes-namespace"
      values   = ["clusterswitch"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/kubernetes-service-account"
      values   = ["clusterswitch"]
    }
  }
}

resource "aws_iam_role" "clusterswitch" {
  name               = "clusterswitch"
  assume_role_policy = data.aws_iam_policy_document.pod_identity.json
}

# policy.json is what `clusterswitch policy` printed. It isn't there in the first apply, which makes the ARNs that it names.
# Keep it beside this file from then on: an apply without it takes the policy away.
resource "aws_iam_role_policy" "clusterswitch" {
  count  = fileexists("${path.module}/policy.json") ? 1 : 0
  name   = "clusterswitch"
  role   = aws_iam_role.clusterswitch.id
  policy = try(file("${path.module}/policy.json"), "")
}

resource "aws_eks_pod_identity_association" "clusterswitch" {
  cluster_name    = var.management_cluster
  namespace       = "clusterswitch"
  service_account = "clusterswitch"
  role_arn        = aws_iam_role.clusterswitch.arn
}

# Who the daemon is in blue and green: a member of the group clusterswitch. What that group may do, `clusterswitch rbac` prints.
resource "aws_eks_access_entry" "clusterswitch" {
  for_each          = var.clusters
  cluster_name      = each.value
  principal_arn     = aws_iam_role.clusterswitch.arn
  kubernetes_groups = ["clusterswitch"]
}

# What values.yaml and the TargetGroupBindings need.

output "rule_arn" {
  value = aws_lb_listener_rule.shop.arn
}

output "target_group_arns" {
  value = { for slot, group in aws_lb_target_group.shop : slot => group.arn }
}

output "load_balancer" {
  value = { name = aws_lb.public.dns_name, security_group = aws_security_group.public.id }
}
