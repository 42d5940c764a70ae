package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	zapobserver "go.uber.org/zap/zaptest/observer"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane/cptest"
)

// inCluster keeps the configuration in a ConfigMap as well, as the chart does, and
// gives the function that changes it there.
func (s *story) inCluster() (put func(text string)) {
	s.Helper()
	s.configMap = ConfigMap{Namespace: s.namespace, Name: "clusterswitch"}
	maps := cptest.Client(s.T, plane.Start(s.T)).CoreV1().ConfigMaps(s.namespace)
	object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "clusterswitch"}, Data: map[string]string{filepath.Base(s.file): s.text()}}
	object, err := maps.Create(s.Context(), object, metav1.CreateOptions{})
	s.ok(err)
	return func(text string) {
		s.Helper()
		object.Data = map[string]string{filepath.Base(s.file): text}
		object, err = maps.Update(s.Context(), object, metav1.UpdateOptions{})
		s.ok(err)
	}
}

func (s *story) text() string {
	s.Helper()
	text, err := os.ReadFile(s.file)
	s.ok(err)
	return string(text)
}

// The flag of a ConfigMap acts within seconds, while the mounted file still says
// something else; and what the file says later, when the kubelet brings it, is no
// news.
func TestTheConfigMapsFlagActsBeforeTheFileKnows(t *testing.T) {
	s := newStory(t)
	put := s.inCluster()
	stop := s.run()
	s.await("a lost journal", reason("JournalMissing"))
	s.expect("before anybody asks", [2]int{50, 50})

	put("nonsense")
	asked := time.Now()
	put(s.text() + "    rollback: true\n")
	s.await("the rollback that the ConfigMap asks for", backBy("the configuration"))
	s.wroteWithin(asked, "the ConfigMap's flag")
	s.expect("after the ConfigMap's flag", [2]int{0, 0})

	put(s.text() + "    rollback: true\n    handsOff: true\n")
	s.await("hands off", reason("HandsOff"))
	s.configure("    rollback: true\n")
	s.awaitLooks(3)
	s.await("hands off, as the ConfigMap still says", reason("HandsOff"))
	stop()

	stop = s.run()
	s.await("hands off again, by the ConfigMap and against the file", reason("HandsOff"))
	stop()
}

// A daemon that starts reads the ConfigMap first; what can't be read there, or
// isn't valid, leaves it to the file.
func TestWhichConfigurationADaemonStartsWith(t *testing.T) {
	cp := plane.Start(t)
	namespace := cptest.Namespace(t, cp)
	client, err := kubernetes.NewForConfig(cp.RESTConfig())
	if err != nil {
		t.Fatal(err)
	}
	fromFile := document("shop", "")
	for name, text := range map[string]string{"other": document("blog", ""), "bad": "nonsense", "same": fromFile} {
		object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}, Data: map[string]string{"config.yaml": text}}
		if _, err := client.CoreV1().ConfigMaps(namespace).Create(t.Context(), object, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	away := &rest.Config{Host: "http://127.0.0.1:1"}
	for name, test := range map[string]struct {
		management *rest.Config
		configMap  string
		pair, says string
		heard      bool
	}{
		"the ConfigMap's":                     {cp.RESTConfig(), "other", "blog", "", true},
		"the ConfigMap's, which is the same":  {cp.RESTConfig(), "same", "shop", "", true},
		"the file's, where none is":           {cp.RESTConfig(), "none", "shop", "configuration taken from the file for now", false},
		"the file's, where it is refused":     {cp.RESTConfig(), "bad", "shop", "configuration refused, the file's goes on", true},
		"the file's, while the API is away":   {away, "other", "shop", "configuration taken from the file for now", false},
		"the file's, where nobody named more": {away, "", "shop", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			core, logs := zapobserver.New(zap.WarnLevel)
			o := Options{Config: parsed(t, fromFile), Logger: zap.New(core)}
			if test.configMap != "" {
				o.ConfigMap = ConfigMap{Namespace: namespace, Name: test.configMap}
			}
			d, err := newOrigin(o, func() (*rest.Config, error) { return test.management, nil })
			if err != nil {
				t.Fatal(err)
			}
			if got := d.first(t.Context()); got.Pairs[0].Name != test.pair || d.heard.Load() != test.heard {
				t.Errorf("it is that of %s, the ConfigMap was heard: %t", got.Pairs[0].Name, d.heard.Load())
			}
			var said []string
			for _, line := range logs.All() {
				said = append(said, line.Message)
			}
			if strings.Join(said, "; ") != test.says {
				t.Errorf("it says %q, want %q", said, test.says)
			}
		})
	}
}
