package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"k8s.io/client-go/rest"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/awsapi"
	"github.com/clusterswitch/clusterswitch/internal/eks"
	"github.com/clusterswitch/clusterswitch/internal/kube"
	"github.com/clusterswitch/clusterswitch/internal/reach"
)

// findWithin bounds the question where a cluster is.
const findWithin = 15 * time.Second

// way finds out how a cluster is reached now. digest tells two ways apart: a
// rotated Secret or a cluster that was made anew has another.
type way func(context.Context) (access kube.Access, digest string, err error)

// secrets reads Secrets of the journal's namespace.
type secrets interface {
	Read(ctx context.Context, name, key string) ([]byte, error)
}

// ways finds the ways to clusters.
type ways struct {
	sessions *awsapi.Sessions
	secrets  secrets
	// management reaches the management cluster.
	management func() (*rest.Config, error)
	// userAgent names this program in the API servers' audit logs.
	userAgent string
}

// to says how to find the way to a cluster, and what people call the cluster.
func (w ways) to(c config.Cluster) (name string, find way) {
	switch {
	case c.EKS != nil:
		cluster := w.eks(*c.EKS)
		return cluster.String(), byName(cluster, w.userAgent)
	case c.KubeconfigSecret != nil:
		return "cluster of Secret " + placed(c.KubeconfigSecret.Name, c.KubeconfigSecret.Context), bySecret(w.secrets, *c.KubeconfigSecret, w.userAgent)
	default: // config refuses a cluster of no kind
		return "cluster of " + placed(c.Kubeconfig.Path, c.Kubeconfig.Context), byFile(accessOf(c.Kubeconfig, w.userAgent))
	}
}

func (w ways) eks(c config.EKS) *eks.Cluster {
	return eks.New(eks.Options{Name: c.Name, Session: w.sessions.For(c.RoleARN, c.Region), RoleARN: c.RoleARN})
}

func placed(place, context string) string {
	if context == "" {
		return place
	}
	return place + " (context " + context + ")"
}

func byName(cluster *eks.Cluster, userAgent string) way {
	return func(ctx context.Context) (kube.Access, string, error) {
		ctx, cancel := context.WithTimeout(ctx, findWithin)
		defer cancel()
		found, err := cluster.Describe(ctx)
		if err != nil {
			return kube.Access{}, "", err
		}
		server := &kube.Server{URL: found.URL, CA: found.CA, Tokens: cluster.Tokens()}
		return kube.Access{Server: server, UserAgent: userAgent}, digest([]byte(found.URL), found.CA), nil
	}
}

func bySecret(s secrets, c config.KubeconfigSecret, userAgent string) way {
	return func(ctx context.Context) (kube.Access, string, error) {
		ctx, cancel := context.WithTimeout(ctx, findWithin)
		defer cancel()
		document, err := s.Read(ctx, c.Name, c.Key)
		if err != nil {
			return kube.Access{}, "", fmt.Errorf("finding the way to a cluster: %w", err)
		}
		return kube.Access{Document: document, Context: c.Context, UserAgent: userAgent}, digest(document), nil
	}
}

func byFile(access kube.Access) way {
	return func(context.Context) (kube.Access, string, error) {
		document, err := reach.ReadFile(access.Kubeconfig)
		if err != nil {
			return kube.Access{}, "", fmt.Errorf("reading kubeconfig %s: %w", access.Kubeconfig, err)
		}
		return access, digest(document), nil
	}
}

// digest is equal for equal parts only.
func digest(parts ...[]byte) string {
	all := sha256.New()
	for _, p := range parts {
		sum := sha256.Sum256(p)
		all.Write(sum[:])
	}
	return hex.EncodeToString(all.Sum(nil))
}
