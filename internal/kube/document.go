package kube

import (
	"fmt"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// loadDocument reads a kubeconfig that came from a Secret. Whoever may write the
// Secret must not be able to run programs in the daemon's pod or to have its
// files sent to a server of his choice.
func loadDocument(text []byte, context string) (*rest.Config, error) {
	document, err := clientcmd.Load(text)
	if err != nil {
		return nil, fmt.Errorf("reading the kubeconfig: %w", err)
	}
	if context == "" {
		context = document.CurrentContext
	}
	chosen, ok := document.Contexts[context]
	if !ok {
		return nil, fmt.Errorf("reading the kubeconfig: it has no context %q", context)
	}
	if cluster, ok := document.Clusters[chosen.Cluster]; ok && cluster.CertificateAuthority != "" {
		return nil, fmt.Errorf("reading the kubeconfig: cluster %s names a file (certificate-authority), "+
			"which the daemon's pod doesn't have; use certificate-authority-data", chosen.Cluster)
	}
	user, ok := document.AuthInfos[chosen.AuthInfo]
	if !ok { // client-go would ask as nobody
		return nil, fmt.Errorf("reading the kubeconfig: its context %q names the user %q, which it doesn't have", context, chosen.AuthInfo)
	}
	if err := refuseUser(user); err != nil {
		return nil, fmt.Errorf("reading the kubeconfig: user %s %w", chosen.AuthInfo, err)
	}
	config, err := clientcmd.NewNonInteractiveClientConfig(*document, context, &clientcmd.ConfigOverrides{}, nil).ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("reading the kubeconfig: %w", err)
	}
	return config, nil
}

// refuseUser refuses what needs a file or a program.
func refuseUser(user *api.AuthInfo) error {
	if user.Exec != nil {
		return fmt.Errorf("gets its credentials from a program (exec: %s), which the daemon runs for nobody; "+
			"use a token or a client certificate, or eks for an EKS cluster", user.Exec.Command)
	}
	if user.AuthProvider != nil {
		return fmt.Errorf("has an auth-provider (%s); use a token or a client certificate", user.AuthProvider.Name)
	}
	for _, file := range []struct{ key, path, instead string }{
		{"client-certificate", user.ClientCertificate, "client-certificate-data"},
		{"client-key", user.ClientKey, "client-key-data"},
		{"tokenFile", user.TokenFile, "token"},
	} {
		if file.path != "" {
			return fmt.Errorf("names a file (%s), which the daemon's pod doesn't have; use %s", file.key, file.instead)
		}
	}
	return nil
}
