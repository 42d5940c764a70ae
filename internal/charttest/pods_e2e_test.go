//go:build e2e && linux

package charttest

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane"
)

// accountFolder is where every pod finds its account.
const accountFolder = "/var/run/secrets/kubernetes.io/serviceaccount"

// kubelet runs containers of the image as a node would: the program alone in a file
// system that it can't write, as the user that the pod names, with the volumes, the
// environment and the account of the pod, and nothing else. What is missing is the
// network of its own, and the limits of the kernel.
type kubelet struct {
	*testing.T
	management *controlplane.ControlPlane
	client     kubernetes.Interface
	binary     string // what the image holds as /clusterswitch
}

// container is one that runs.
type container struct {
	cmd  *exec.Cmd
	said *bytes.Buffer
}

// volumes are what the pod's volumes hold, by volume and file. A Secret that isn't
// there keeps the pod from starting, unless it is optional.
func (k *kubelet) volumes(pod corev1.PodSpec) map[string]map[string][]byte {
	k.Helper()
	all := map[string]map[string][]byte{}
	for _, v := range pod.Volumes {
		files := map[string][]byte{}
		switch {
		case v.ConfigMap != nil:
			m, err := k.client.CoreV1().ConfigMaps(namespace).Get(k.Context(), v.ConfigMap.Name, metav1.GetOptions{})
			k.ok(err)
			for name, text := range m.Data {
				files[name] = []byte(text)
			}
		case v.Secret != nil:
			s, err := k.client.CoreV1().Secrets(namespace).Get(k.Context(), v.Secret.SecretName, metav1.GetOptions{})
			if !apierrors.IsNotFound(err) || v.Secret.Optional == nil || !*v.Secret.Optional {
				k.ok(err)
				maps.Copy(files, s.Data)
			}
		default:
			k.Fatalf("volume %s is of a kind that this kubelet doesn't know", v.Name)
		}
		all[v.Name] = files
	}
	return all
}

// account are the files of the pod's account, with a token of its own.
func (k *kubelet) account(pod corev1.PodSpec) map[string][]byte {
	k.Helper()
	made, err := k.client.CoreV1().ServiceAccounts(namespace).CreateToken(k.Context(), pod.ServiceAccountName, &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	k.ok(err)
	return map[string][]byte{
		"token": []byte(made.Status.Token), "ca.crt": k.management.RESTConfig().CAData, "namespace": []byte(namespace),
	}
}

// fileSystem is what the container sees as /. Nobody can write there: a read-only root,
// and volumes that are mounted so.
func (k *kubelet) fileSystem(pod corev1.PodSpec, c corev1.Container) (root string) {
	k.Helper()
	root = k.TempDir()
	put := func(folder string, files map[string][]byte) {
		k.ok(os.MkdirAll(filepath.Join(root, folder), 0o755))
		for name, content := range files {
			k.ok(os.WriteFile(filepath.Join(root, folder, name), content, 0o444))
		}
	}
	binary, err := os.ReadFile(k.binary)
	k.ok(err)
	k.ok(os.WriteFile(filepath.Join(root, "clusterswitch"), binary, 0o555))
	put(accountFolder, k.account(pod))
	volumes := k.volumes(pod)
	for _, m := range c.VolumeMounts {
		if !m.ReadOnly {
			k.Errorf("volume %s can be written", m.Name)
		}
		put(m.MountPath, volumes[m.Name])
	}
	k.ok(filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			err = os.Chmod(path, 0o555)
		}
		return err
	}))
	k.Cleanup(func() { // else the test's folder can't be removed by who isn't root
		_ = filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				err = os.Chmod(path, 0o755)
			}
			return err
		})
	})
	return root
}

// environment is what the container sees as its own: nothing of this machine's.
func (k *kubelet) environment(c corev1.Container) []string {
	k.Helper()
	server, err := url.Parse(k.management.RESTConfig().Host)
	k.ok(err)
	all := []string{"KUBERNETES_SERVICE_HOST=" + server.Hostname(), "KUBERNETES_SERVICE_PORT=" + server.Port()}
	for _, e := range c.Env {
		if e.ValueFrom == nil {
			all = append(all, e.Name+"="+e.Value)
			continue
		}
		if e.ValueFrom.ResourceFieldRef == nil || e.ValueFrom.ResourceFieldRef.Resource != "limits.memory" {
			k.Fatalf("variable %s comes from where this kubelet doesn't know", e.Name)
		}
		all = append(all, e.Name+"="+strconv.FormatInt(c.Resources.Limits.Memory().Value(), 10))
	}
	return all
}

// run starts a container.
func (k *kubelet) run(pod corev1.PodSpec, c corev1.Container, more ...string) *container {
	k.Helper()
	if len(c.Command) > 0 || c.SecurityContext == nil || !*c.SecurityContext.ReadOnlyRootFilesystem {
		k.Fatalf("container %s isn't one that this kubelet can run", c.Name)
	}
	cmd := exec.Command("/clusterswitch", c.Args...)
	cmd.Env, cmd.Dir = append(k.environment(c), more...), "/"
	user, group := uint32(*pod.SecurityContext.RunAsUser), uint32(*pod.SecurityContext.RunAsGroup)
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: k.fileSystem(pod, c), Credential: &syscall.Credential{Uid: user, Gid: group}}
	running := &container{cmd: cmd, said: &bytes.Buffer{}}
	cmd.Stdout, cmd.Stderr = running.said, running.said
	k.ok(cmd.Start())
	k.Cleanup(func() {
		_ = cmd.Process.Kill() // it may be gone
		_ = cmd.Wait()
	})
	return running
}

// stop ends a daemon as a kubelet does; it must end well, and within its grace.
func (k *kubelet) stop(c *container, grace time.Duration) {
	k.Helper()
	k.ok(c.cmd.Process.Signal(syscall.SIGTERM))
	kill := time.AfterFunc(grace, func() { _ = c.cmd.Process.Kill() })
	defer kill.Stop()
	if err := c.cmd.Wait(); err != nil {
		k.Errorf("a daemon that was asked to stop within %s: %v\n%s", grace, err, c.said)
	}
}

// succeeds runs containers to their end, one after the other, as those of a pod that is
// started again after it failed; for as long as the pod may live.
func (k *kubelet) succeeds(pod corev1.PodSpec, within time.Duration) error {
	k.Helper()
	until := time.Now().Add(within)
	for _, c := range append(pod.InitContainers, pod.Containers...) {
		for {
			done := k.run(pod, c)
			err := done.cmd.Wait()
			if err == nil {
				break
			}
			if pod.RestartPolicy == corev1.RestartPolicyNever || time.Now().After(until) {
				return fmt.Errorf("running %s: %w: %s", strings.Join(c.Args, " "), err, done.said)
			}
		}
	}
	return nil
}

func (k *kubelet) ok(err error) {
	k.Helper()
	if err != nil {
		k.Fatal(err)
	}
}

// mayActAsANode tells whether this process may do what a kubelet does.
func mayActAsANode() error {
	if os.Geteuid() != 0 {
		return errors.New("only root may give a container a file system and a user of its own")
	}
	return nil
}
