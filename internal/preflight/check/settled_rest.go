package check

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
)

func claims(f *facts.Facts) []finding.Finding {
	kind := coreKind("PersistentVolumeClaim")
	var found []finding.Finding
	for _, n := range sortedNames(f.Settings, kind, f.Green.Settled.Claims) {
		g := f.Green.Settled.Claims[n]
		_, alike := f.Blue.Settled.Claims[n]
		x := green(ClaimNotBound, !alike, facts.Object{GroupKind: kind, Name: n})
		phase := g.Phase
		if phase == "" {
			phase = "new"
		}
		class := "no StorageClass of its own"
		if g.Class != "" {
			class = "StorageClass " + g.Class
		}
		x.Message = fmt.Sprintf("it is %s in green, with %s", phase, class)
		x.Do = "Mend its StorageClass, its driver or its volume."
		if !g.Used && g.Phase != "Lost" {
			// With volumeBindingMode WaitForFirstConsumer this is how it should be.
			x.Severity, x.Do = finding.Note, "Nothing, if its first pod is yet to come."
			x.Message += ", and no pod wants it yet"
		}
		if alike {
			x.Message += "; in blue it is not bound either"
		}
		found = append(found, x)
	}
	return found
}

// endpoints needs the EndpointSlices of both: what was not read is not none.
func endpoints(f *facts.Facts) []finding.Finding {
	slice := facts.GroupKind{Group: "discovery.k8s.io", Kind: "EndpointSlice"}
	if !read(&f.Blue, slice) || !read(&f.Green, slice) {
		return nil
	}
	var found []finding.Finding
	for _, n := range sortedNames(f.Settings, coreKind("Service"), f.Green.Settled.Selecting) {
		had := f.Blue.Settled.Endpoints[n]
		if f.Green.Settled.Endpoints[n] > 0 || had == 0 {
			continue
		}
		x := green(ServiceWithoutEndpoints, true, facts.Object{GroupKind: coreKind("Service"), Name: n})
		x.Message = fmt.Sprintf("it has no ready endpoint in green, and %d in blue", had)
		x.Do = "Mend the workload behind it, or its selector: whoever calls it gets nothing."
		found = append(found, x)
	}
	return found
}

func terminating(f *facts.Facts) []finding.Finding {
	var found []finding.Finding
	for _, name := range slices.Sorted(maps.Keys(f.Green.Settled.Terminating)) {
		o := facts.Object{GroupKind: coreKind("Namespace"), Name: facts.Name{Name: name}}
		// The configuration speaks of what is in a namespace.
		inside := o
		inside.Namespace = name
		if spared(f.Settings, inside) {
			continue
		}
		_, alike := f.Blue.Settled.Terminating[name]
		there, known := f.Blue.Has(o.GroupKind, o.Name)
		x := green(NamespaceTerminating, !alike && (there || !known), o)
		x.Message = fmt.Sprintf("it is being deleted in green since %s", f.Green.Settled.Terminating[name].UTC().Format(time.RFC3339))
		switch {
		case alike:
			x.Message += ", and in blue too"
		case there:
			x.Message += "; in blue it stays"
		}
		x.Do = "Let the deletion end (kubectl get namespace -o yaml tells what it waits for), then make it anew."
		found = append(found, x)
	}
	return found
}

func unavailable(f *facts.Facts) []finding.Finding {
	var found []finding.Finding
	for _, name := range slices.Sorted(maps.Keys(f.Green.Settled.Unavailable)) {
		_, alike := f.Blue.Settled.Unavailable[name]
		x := green(APIServiceUnavailable, !alike, facts.Object{
			GroupKind: facts.GroupKind{Group: "apiregistration.k8s.io", Kind: "APIService"}, Name: facts.Name{Name: name},
		})
		x.Message = "it doesn't answer in green: " + short(f.Green.Settled.Unavailable[name])
		if alike {
			x.Message += "; nor does it in blue"
		}
		x.Do = "Mend the Service that it names: whoever asks for this part of the API gets errors."
		found = append(found, x)
	}
	return found
}
