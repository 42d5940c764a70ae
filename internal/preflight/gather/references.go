package gather

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
)

// mostPlaces is how many places of one object are kept for each word.
const mostPlaces = 3

// references looks for words in all that people wrote into a cluster. What a
// controller made from another object is passed by: the other one is searched.
func references(o Options) topic {
	if len(o.Words) == 0 || o.Scope != facts.Retire {
		return topic{}
	}
	return topic{retire: true, every: func(c *facts.Cluster, k facts.GroupKind, object runtime.Object) {
		m, err := meta.Accessor(object)
		if err != nil || !searched(o, k) || leftOut(c, k, m) || o.Settings.Ignores(k, nameOf(m)) {
			return
		}
		c.Retiring.Searched++
		s := search{words: o.Words, found: map[int][]string{}}
		if secret, is := object.(*corev1.Secret); is {
			s.secret(secret)
		} else if err := s.object(object); err != nil {
			c.Note(facts.Gap{What: k.String() + " " + nameOf(m).String(), Why: "it can't be searched: " + short(err.Error())})
			return
		}
		for _, i := range slices.Sorted(maps.Keys(s.found)) {
			if len(c.Retiring.References) == facts.MostReferences {
				c.Retiring.MoreReferences++
				continue
			}
			c.Retiring.References = append(c.Retiring.References, facts.Reference{
				Object: facts.Object{GroupKind: k, Name: nameOf(m)}, Word: o.Words[i], Places: s.found[i],
			})
		}
	}}
}

// searched tells whether words are looked for in a kind. Pods, ReplicaSets and
// the history of workloads are made from what is searched; the contents of Secrets
// are read only where the configuration lets them be compared.
func searched(o Options, k facts.GroupKind) bool {
	switch k {
	case core("Pod"), core("Endpoints"), apps("ReplicaSet"), apps("ControllerRevision"), core("Node"), core("PersistentVolume"):
		return false
	case facts.KindSecret():
		return o.Settings.Secrets == facts.SecretsDigests
	}
	return true
}

// search looks through one object.
type search struct {
	words []facts.Word
	// found are the places of each word, by its index.
	found map[int][]string
}

// secret looks through a Secret's values, which are kept nowhere.
func (s *search) secret(o *corev1.Secret) {
	for _, key := range slices.Sorted(maps.Keys(o.Data)) {
		s.text("data."+key, string(o.Data[key]))
	}
	s.text("metadata.name", o.Name)
}

// object looks through what people wrote of any other object: all but its status
// and the notes about its fields.
func (s *search) object(o runtime.Object) error {
	text, err := json.Marshal(o)
	if err != nil {
		return err
	}
	lower := bytes.ToLower(text)
	if !slices.ContainsFunc(s.words, func(w facts.Word) bool { return bytes.Contains(lower, []byte(w.Text)) }) {
		return nil
	}
	var tree map[string]any
	if err := json.Unmarshal(text, &tree); err != nil {
		return err
	}
	delete(tree, "status")
	if about, ok := tree["metadata"].(map[string]any); ok {
		delete(about, "managedFields")
		if annotations, ok := about["annotations"].(map[string]any); ok {
			delete(annotations, corev1.LastAppliedConfigAnnotation)
		}
	}
	s.walk("", tree)
	return nil
}

func (s *search) walk(path string, v any) {
	switch v := v.(type) {
	case string:
		s.text(path, v)
	case []any:
		for i, item := range v {
			s.walk(fmt.Sprintf("%s[%d]", path, i), item)
		}
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			s.walk(strings.TrimPrefix(path+"."+key, "."), v[key])
		}
	}
}

func (s *search) text(path, value string) {
	value = strings.ToLower(value)
	for i, w := range s.words {
		if len(s.found[i]) < mostPlaces && hasWord(value, w.Text) {
			s.found[i] = append(s.found[i], path)
		}
	}
}

// hasWord tells whether a word stands in a text, and not within a longer name.
func hasWord(text, word string) bool {
	for at := 0; ; {
		i := strings.Index(text[at:], word)
		if i < 0 {
			return false
		}
		begin, end := at+i, at+i+len(word)
		if (begin == 0 || !ofName(text[begin-1])) && (end == len(text) || !ofName(text[end])) {
			return true
		}
		at = begin + 1
	}
}

// ofName tells whether a letter goes on with a name.
func ofName(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_'
}
