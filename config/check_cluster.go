package config

import "regexp"

func (c *checker) cluster(path string, cluster Cluster) {
	c.exactlyOne(path, map[string]bool{
		"kubeconfig": cluster.Kubeconfig != nil, "kubeconfigSecret": cluster.KubeconfigSecret != nil, "eks": cluster.EKS != nil,
	}, "kubeconfig, kubeconfigSecret or eks")
	c.kubeconfig(path+".kubeconfig", cluster.Kubeconfig)
	if s := cluster.KubeconfigSecret; s != nil {
		c.matches(path+".kubeconfigSecret.name", s.Name, regexp.MustCompile(`^[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$`),
			"the name of a Secret", "1 to 253 of a-z, 0-9, - and ., with a letter or digit at both ends")
		c.matches(path+".kubeconfigSecret.key", s.Key, regexp.MustCompile(`^[-._a-zA-Z0-9]{1,253}$`),
			"a key of a Secret", "letters, digits, -, _ and .")
	}
	if e := cluster.EKS; e != nil {
		c.eks(path+".eks", e)
	}
}

func (c *checker) eks(path string, e *EKS) {
	c.matches(path+".name", e.Name, regexp.MustCompile(`^[0-9A-Za-z][A-Za-z0-9_-]{0,99}$`), "the name of an EKS cluster",
		"1 to 100 letters, digits, - and _, beginning with a letter or digit")
	if e.Region != c.config.AWS.Region { // that one is checked where it stands
		c.region(path+".region", e.Region)
	}
	c.roleARN(path+".roleARN", e.RoleARN)
}

// region checks a region; an empty one stands for another key's.
func (c *checker) region(path, value string) {
	if value == "" {
		return
	}
	c.matches(path, value, regexp.MustCompile(`^[a-z]{2,}(-[a-z]+)+-\d+$`), "an AWS region", "a name such as ap-northeast-1")
}

// roleARN checks the ARN of a role that the daemon assumes; an empty one is none.
func (c *checker) roleARN(path, value string) {
	if value == "" {
		return
	}
	c.matches(path, value, regexp.MustCompile(`^arn:aws[a-z-]*:iam::\d{12}:role/[A-Za-z0-9+=,.@_/-]{1,512}$`),
		"the ARN of an IAM role", "arn:aws:iam::ACCOUNT:role/NAME")
}

// sameCluster notes a fault where green is told in the same words as blue.
func (c *checker) sameCluster(path string, blue, green Cluster) {
	const words = "is the same cluster as blue; %s"
	if b, g := blue.Kubeconfig, green.Kubeconfig; b != nil && g != nil && *b == *g {
		c.faultf(path+".kubeconfig", words, "give each cluster a path or context of its own")
	}
	if b, g := blue.KubeconfigSecret, green.KubeconfigSecret; b != nil && g != nil && *b == *g {
		c.faultf(path+".kubeconfigSecret", words, "give each cluster a Secret, key or context of its own")
	}
	if b, g := blue.EKS, green.EKS; b != nil && g != nil && *b == *g {
		c.faultf(path+".eks", words, "name another cluster")
	}
}
