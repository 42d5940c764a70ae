package check

import (
	"testing"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

const ownServer = "https://kubernetes.default.svc"

// app is an Application that is as it should be.
func app(name string, to facts.Destination) facts.Application {
	if to.Namespace == "" {
		to.Namespace = "shop"
	}
	return facts.Application{
		Name: facts.Name{Namespace: "argocd", Name: name}, Destination: to, Sync: "Synced", Health: "Healthy", Operation: "Succeeded",
		Sources: []facts.ArgoSource{{Repo: "https://git.example.com/" + name, Path: "deploy", Revision: "main"}},
	}
}

// argoPair are two clusters that Argo CD may know by address or name.
func argoPair() *facts.Facts {
	cluster := func(side shift.Side, name string) facts.Cluster {
		return facts.Cluster{Side: side, Name: name, Address: "https://" + name + ".gr7.eu-west-1.eks.amazonaws.com", Objects: wholeLists(), Argo: facts.Argo{Served: true}}
	}
	return &facts.Facts{
		Settings: facts.Settings{Argo: facts.ArgoSettings{Blue: []string{"shop-v134"}, Green: []string{"shop-v137"}}},
		Blue:     cluster(shift.Blue, "shop-v134"), Green: cluster(shift.Green, "shop-v137"),
		Management: facts.Cluster{Address: "https://mgmt.example.com:6443", Argo: facts.Argo{Served: true}},
	}
}

type argoCase struct {
	with func(f *facts.Facts)
	want []string
}

func runArgo(t *testing.T, cases map[string]argoCase) {
	t.Helper()
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := argoPair()
			c.with(f)
			compareBrief(t, argoCheck(), f, c.want)
		})
	}
}

func TestApplicationsOfGreen(t *testing.T) {
	t.Parallel()
	own := facts.Destination{Server: ownServer}
	inGreen := func(change func(*facts.Application)) func(*facts.Facts) {
		return func(f *facts.Facts) { f.Green.Argo.Applications = []facts.Application{with(app("web", own), change)} }
	}
	inBoth := func(change func(*facts.Application)) func(*facts.Facts) {
		return func(f *facts.Facts) {
			inGreen(change)(f)
			f.Blue.Argo.Applications = []facts.Application{with(app("web", own), change)}
		}
	}
	runArgo(t, map[string]argoCase{
		"no Argo CD anywhere": {func(f *facts.Facts) {
			f.Blue.Argo, f.Green.Argo, f.Management = facts.Argo{}, facts.Argo{}, facts.Cluster{}
		}, []string{}},
		"synced and healthy": {inGreen(func(*facts.Application) {}), []string{}},
		"out of sync": {
			inGreen(func(a *facts.Application) { a.Sync = "OutOfSync" }),
			[]string{"block ArgoOutOfSync/Application.argoproj.io/argocd/web: it is OutOfSync"},
		},
		"out of sync in both": {
			inBoth(func(a *facts.Application) { a.Sync = "OutOfSync" }),
			[]string{"warn ArgoOutOfSync/Application.argoproj.io/argocd/web: it is OutOfSync; so is argocd/web, which deploys to blue"},
		},
		"can't be compared": {
			inGreen(func(a *facts.Application) {
				a.Sync, a.Errors = "Unknown", []facts.ArgoError{{Type: "ComparisonError", Message: "repository not found"}}
			}),
			[]string{"block ArgoOutOfSync/Application.argoproj.io/argocd/web: Argo CD can't tell whether it is in sync: ComparisonError: repository not found"},
		},
		"synced, with an error": {
			inGreen(func(a *facts.Application) {
				a.Errors = []facts.ArgoError{{Type: "SyncError", Message: "one or more\nobjects failed"}}
			}),
			[]string{"block ArgoError/Application.argoproj.io/argocd/web: it reports an error: SyncError: one or more objects failed"},
		},
		"synced with what it named before": {
			inGreen(func(a *facts.Application) { a.Stale = true }),
			[]string{"block ArgoOutOfSync/Application.argoproj.io/argocd/web: it is Synced, but for another source than the one that it names now"},
		},
		"never looked at": {
			inGreen(func(a *facts.Application) { a.Sync, a.Health, a.Operation = "", "", "" }),
			[]string{
				"block ArgoOutOfSync/Application.argoproj.io/argocd/web: Argo CD has not compared it yet",
				"block ArgoUnhealthy/Application.argoproj.io/argocd/web: its health is not told yet",
			},
		},
		"degraded": {
			inGreen(func(a *facts.Application) {
				a.Health, a.HealthMessage = "Degraded", "Deployment web exceeded its deadline"
			}),
			[]string{"block ArgoUnhealthy/Application.argoproj.io/argocd/web: its health is Degraded: Deployment web exceeded its deadline"},
		},
		"missing": {
			inGreen(func(a *facts.Application) { a.Health = "Missing" }),
			[]string{"block ArgoUnhealthy/Application.argoproj.io/argocd/web: its health is Missing"},
		},
		"progressing": {
			inGreen(func(a *facts.Application) { a.Health = "Progressing" }),
			[]string{"block ArgoUnhealthy/Application.argoproj.io/argocd/web: its health is Progressing"},
		},
		"degraded in both": {
			inBoth(func(a *facts.Application) { a.Health = "Degraded" }),
			[]string{"warn ArgoUnhealthy/Application.argoproj.io/argocd/web: its health is Degraded; so is argocd/web, which deploys to blue"},
		},
		"suspended": {
			inGreen(func(a *facts.Application) { a.Health = "Suspended" }),
			[]string{"warn ArgoUnhealthy/Application.argoproj.io/argocd/web: something that it deploys is suspended"},
		},
		"in the middle of an operation": {
			inGreen(func(a *facts.Application) { a.Operation, a.OperationMessage = "Running", "waiting for hook" }),
			[]string{"block ArgoOperation/Application.argoproj.io/argocd/web: an operation is under way (Running): waiting for hook"},
		},
		"after an operation that failed": {
			inGreen(func(a *facts.Application) { a.Operation = "Failed" }),
			[]string{"warn ArgoOperation/Application.argoproj.io/argocd/web: its last operation ended as Failed"},
		},
		"being deleted": {
			inGreen(func(a *facts.Application) { a.Deleting = true }),
			[]string{"block ArgoDeleting/Application.argoproj.io/argocd/web: it is being deleted, and what it deployed may go with it"},
		},
	})
}

func TestApplicationsAreFoundByTheirDestination(t *testing.T) {
	t.Parallel()
	const (
		badServer   = "block ArgoOutOfSync/Application.argoproj.io/argocd/web/management: it is OutOfSync"
		unexplained = "warn ArgoDestinationUnknown/Cluster/green: Applications of Argo CD deploy to "
	)
	inManagement := func(to facts.Destination, changes ...func(*facts.Facts)) func(*facts.Facts) {
		return func(f *facts.Facts) {
			f.Management.Argo.Applications = []facts.Application{with(app("web", to), func(a *facts.Application) { a.Sync = "OutOfSync" })}
			for _, change := range changes {
				change(f)
			}
		}
	}
	green := "https://shop-v137.gr7.eu-west-1.eks.amazonaws.com"
	runArgo(t, map[string]argoCase{
		"by green's server":                  {inManagement(facts.Destination{Server: green}), []string{badServer}},
		"by green's server, in other words":  {inManagement(facts.Destination{Server: "https://SHOP-v137.gr7.eu-west-1.eks.amazonaws.com:443/"}), []string{badServer}},
		"by green's server, at another port": {inManagement(facts.Destination{Server: green + ":6443"}), []string{unexplained + green + ":6443; none of these is known to be green"}},
		"by green's name":                    {inManagement(facts.Destination{Cluster: "shop-v137"}), []string{badServer}},
		"by green's ARN":                     {inManagement(facts.Destination{Server: "arn:aws:eks:eu-west-1:123456789012:cluster/shop-v137"}), []string{badServer}},
		"by the name of an ARN": {inManagement(facts.Destination{Cluster: "shop-v137"}, func(f *facts.Facts) {
			f.Settings.Argo.Green = []string{"arn:aws:eks:eu-west-1:123456789012:cluster/shop-v137"}
		}), []string{badServer}},
		"by the name that is configured":        {inManagement(facts.Destination{Cluster: "next"}, func(f *facts.Facts) { f.Settings.Argo.Green = []string{"next"} }), []string{badServer}},
		"by the server that is configured":      {inManagement(facts.Destination{Server: "https://next.example.com"}, func(f *facts.Facts) { f.Settings.Argo.Green = []string{"https://NEXT.example.com:443"} }), []string{badServer}},
		"by a name that nobody explains":        {inManagement(facts.Destination{Cluster: "next"}), []string{unexplained + "next; none of these is known to be green"}},
		"by a name that both have":              {inManagement(facts.Destination{Cluster: "shop"}, func(f *facts.Facts) { f.Settings.Argo.Blue, f.Settings.Argo.Green = []string{"shop"}, []string{"shop"} }), []string{unexplained + "shop; none of these is known to be green"}},
		"in the management cluster itself":      {inManagement(facts.Destination{Server: ownServer}), []string{}},
		"in a management cluster that is green": {inManagement(facts.Destination{Cluster: "in-cluster"}, func(f *facts.Facts) { f.Management.Address = green + "/" }), []string{badServer}},
		"kept in blue": {
			func(f *facts.Facts) {
				f.Blue.Argo.Applications = []facts.Application{with(app("web", facts.Destination{Server: green}), func(a *facts.Application) { a.Sync = "OutOfSync" })}
			},
			[]string{"block ArgoOutOfSync/Application.argoproj.io/argocd/web/blue: it is OutOfSync"},
		},
		"kept in green, for another cluster": {
			func(f *facts.Facts) {
				f.Green.Argo.Applications = []facts.Application{app("web", facts.Destination{Server: ownServer}), with(app("other", facts.Destination{Server: "https://other.example.com"}), func(a *facts.Application) { a.Sync = "OutOfSync" })}
			}, []string{},
		},
		"seen twice, because the management cluster is green": {
			func(f *facts.Facts) {
				one := with(app("web", facts.Destination{Server: ownServer}), func(a *facts.Application) { a.UID, a.Sync = "1", "OutOfSync" })
				f.Green.Argo.Applications, f.Management.Argo.Applications = []facts.Application{one}, []facts.Application{one}
				f.Management.Address = f.Green.Address
			},
			[]string{"block ArgoOutOfSync/Application.argoproj.io/argocd/web: it is OutOfSync"},
		},
	})
}

func TestApplicationsOfBlueHaveATwinForGreen(t *testing.T) {
	t.Parallel()
	blue, green := facts.Destination{Cluster: "shop-v134"}, facts.Destination{Cluster: "shop-v137"}
	management := func(apps ...facts.Application) func(*facts.Facts) {
		return func(f *facts.Facts) { f.Management.Argo.Applications = apps }
	}
	source := func(a facts.Application, repo, path, revision string) facts.Application {
		a.Sources = []facts.ArgoSource{{Repo: repo, Path: path, Revision: revision}}
		return a
	}
	runArgo(t, map[string]argoCase{
		"none": {
			management(app("web-blue", blue), app("pay-green", green)),
			[]string{"warn ArgoMissing/Application.argoproj.io/argocd/web-blue/management: it deploys to blue (from management), and no Application like it deploys to green"},
		},
		"by the side's name":    {management(app("web-blue", blue), app("web-green", green)), []string{}},
		"by the cluster's name": {management(app("shop-v134-web", blue), app("shop-v137-web", green)), []string{}},
		"by the source": {
			management(source(app("one", blue), "https://git.example.com/web", "clusters/shop-v134/web", "v1"), source(app("two", green), "https://git.example.com/web", "clusters/shop-v137/web", "v2")), []string{},
		},
		"another path of the same repository is none": {
			management(source(app("one", blue), "https://git.example.com/all", "web", "v1"), source(app("two", green), "https://git.example.com/all", "pay", "v1")),
			[]string{"warn ArgoMissing/Application.argoproj.io/argocd/one/management: it deploys to blue (from management), and no Application like it deploys to green"},
		},
		"another namespace is none": {
			management(app("web-blue", blue), with(source(app("x", green), "https://git.example.com/web-blue", "deploy", "main"), func(a *facts.Application) { a.Destination.Namespace = "pay" })),
			[]string{"warn ArgoMissing/Application.argoproj.io/argocd/web-blue/management: it deploys to blue (from management), and no Application like it deploys to green"},
		},
		"in an Argo CD of its own": {
			func(f *facts.Facts) {
				f.Blue.Argo.Applications = []facts.Application{app("web", facts.Destination{Server: ownServer}), app("pay", facts.Destination{Server: ownServer})}
				f.Green.Argo.Applications = []facts.Application{app("web", facts.Destination{Server: ownServer})}
			},
			[]string{"warn ArgoMissing/Application.argoproj.io/argocd/pay/blue: it deploys to blue (from blue), and no Application like it deploys to green"},
		},
		"what could not be read is not missing": {
			func(f *facts.Facts) {
				f.Blue.Argo.Applications = []facts.Application{app("web", facts.Destination{Server: ownServer})}
				delete(f.Green.Objects, facts.GroupKind{Group: "argoproj.io", Kind: "Application"})
			}, []string{},
		},
	})
}

func TestTheManagementClusterCanBeUnreadable(t *testing.T) {
	t.Parallel()
	runArgo(t, map[string]argoCase{
		"at all": {
			func(f *facts.Facts) { f.Management = facts.Cluster{Fault: "connection refused"} },
			[]string{"warn ArgoNotChecked/Cluster/management/argocd: argocd of the management cluster can't be read: connection refused"},
		},
		"in part": {
			func(f *facts.Facts) {
				f.Blue.Argo.Applications = []facts.Application{app("web", facts.Destination{Server: ownServer})}
				f.Management.Gaps = []facts.Gap{{What: "applications.argoproj.io in argocd", Why: "forbidden"}}
			},
			[]string{"block ArgoNotChecked/Cluster/management/applications.argoproj.io in argocd: applications.argoproj.io in argocd of the management cluster can't be read: forbidden"},
		},
		"because nobody asked for it": {func(f *facts.Facts) { f.Management = facts.Cluster{} }, []string{}},
	})
}

func TestApplicationSetsThatFail(t *testing.T) {
	t.Parallel()
	set := facts.ApplicationSet{Name: facts.Name{Namespace: "argocd", Name: "all"}, UID: "s", Message: "ApplicationParamsGenerationError: no such repository"}
	const said = ": it reports an error: ApplicationParamsGenerationError: no such repository"
	made := func(f *facts.Facts) []facts.Application {
		return []facts.Application{with(app("web", facts.Destination{Server: f.Green.Address}), func(a *facts.Application) { a.Set = "all" })}
	}
	runArgo(t, map[string]argoCase{
		"in green": {
			func(f *facts.Facts) { f.Green.Argo.Sets = []facts.ApplicationSet{set} },
			[]string{"block ArgoSetError/ApplicationSet.argoproj.io/argocd/all" + said},
		},
		"in both": {
			func(f *facts.Facts) {
				f.Green.Argo.Sets = []facts.ApplicationSet{set}
				f.Blue.Argo.Sets = []facts.ApplicationSet{with(set, func(s *facts.ApplicationSet) { s.UID = "b" })}
			},
			[]string{"warn ArgoSetError/ApplicationSet.argoproj.io/argocd/all" + said + "; so does blue's"},
		},
		"in the management cluster, and it made one for green": {
			func(f *facts.Facts) {
				f.Management.Argo.Sets, f.Management.Argo.Applications = []facts.ApplicationSet{set}, made(f)
			},
			[]string{"block ArgoSetError/ApplicationSet.argoproj.io/argocd/all/management" + said},
		},
		"in the management cluster, for nobody knows whom": {
			func(f *facts.Facts) { f.Management.Argo.Sets = []facts.ApplicationSet{set} },
			[]string{"warn ArgoSetError/ApplicationSet.argoproj.io/argocd/all/management" + said},
		},
		"in blue, for blue": {func(f *facts.Facts) { f.Blue.Argo.Sets = []facts.ApplicationSet{set} }, []string{}},
		"in blue, for green": {
			func(f *facts.Facts) {
				f.Blue.Argo.Sets, f.Blue.Argo.Applications = []facts.ApplicationSet{set}, made(f)
			},
			[]string{"block ArgoSetError/ApplicationSet.argoproj.io/argocd/all/blue" + said},
		},
	})
}
