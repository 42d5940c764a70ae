package aws

import (
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Cluster is an EKS cluster as DescribeCluster answers it.
type Cluster struct {
	Name     string // 1 to 100 letters, digits, hyphens and underscores
	Version  string // Kubernetes version, such as 1.34
	Endpoint string // https URL of its API server
	CAPEM    []byte // the certificates that the API server is trusted by, in PEM
	// Status is one of CREATING, ACTIVE, DELETING, FAILED, UPDATING and PENDING.
	// Default ACTIVE. A cluster that is CREATING or PENDING has neither endpoint nor
	// certificates yet.
	Status string
	// AccountID is the account that the cluster belongs to. Default Options.AccountID.
	AccountID string
	// Issuer is the OIDC issuer of the cluster's tokens: https://…. Empty: none.
	Issuer string
	// Insights and PodIdentities are what EKS tells of the cluster beside.
	Insights      []Insight
	PodIdentities []PodIdentity
}

// eksStore keeps the clusters of all accounts.
type eksStore struct {
	opts Options

	mu       sync.Mutex
	clusters map[string]map[string]eksCluster // guarded by mu; by account and name
}

type eksCluster struct {
	Cluster
	created time.Time
}

func newEKSStore(opts Options) *eksStore {
	return &eksStore{opts: opts, clusters: map[string]map[string]eksCluster{}}
}

func (s *eksStore) operations() map[string]operation {
	all := s.inspections()
	all["DescribeCluster"], all["ListClusters"] = operation{run: s.describe}, operation{run: s.list}
	return all
}

// SetCluster declares an EKS cluster, or changes one of the same account and
// name. The error says what is wrong with it.
func (c *Cloud) SetCluster(cluster Cluster) error { return c.eks.set(cluster) }

func (s *eksStore) set(c Cluster) error {
	if c.AccountID == "" {
		c.AccountID = s.opts.AccountID
	}
	if c.Status == "" {
		c.Status = "ACTIVE"
	}
	block, _ := pem.Decode(c.CAPEM)
	begins := c.Status == "CREATING" || c.Status == "PENDING"
	switch {
	case !regexp.MustCompile(`^[0-9A-Za-z][A-Za-z0-9_-]{0,99}$`).MatchString(c.Name):
		return fmt.Errorf("declaring EKS cluster %q: the name isn't lawful", c.Name)
	case !oneOf("CREATING", "ACTIVE", "DELETING", "FAILED", "UPDATING", "PENDING")(c.Status):
		return fmt.Errorf("declaring EKS cluster %q: %q isn't a status", c.Name, c.Status)
	case c.Version == "":
		return fmt.Errorf("declaring EKS cluster %q: it needs a version", c.Name)
	case !begins && (!strings.HasPrefix(c.Endpoint, "https://") || block == nil):
		return fmt.Errorf("declaring EKS cluster %q: it needs an https endpoint and certificates in PEM", c.Name)
	case c.Issuer != "" && !strings.HasPrefix(c.Issuer, "https://"):
		return fmt.Errorf("declaring EKS cluster %q: its issuer isn't an https URL", c.Name)
	}
	if err := c.validate(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.clusters[c.AccountID] == nil {
		s.clusters[c.AccountID] = map[string]eksCluster{}
	}
	created := s.opts.Now()
	if old, known := s.clusters[c.AccountID][c.Name]; known {
		created = old.created
	}
	s.clusters[c.AccountID][c.Name] = eksCluster{c, created}
	return nil
}

// names lists the clusters of an account in the order of their names.
func (s *eksStore) names(account string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.clusters[account]))
}

// eksOperation reads the operation, the cluster's name and the id of what is
// asked about out of a request.
func eksOperation(r *http.Request) (operation, name, id string) {
	if rest, ok := strings.CutPrefix(r.URL.Path, "/clusters"); ok && (rest == "" || rest[0] == '/') {
		parts := strings.SplitN(strings.TrimPrefix(rest, "/"), "/", 3)
		switch {
		case len(parts) > 1:
			parts = append(parts, "")
			if operation = eksInspection(r.Method, parts[1], parts[2]); operation != "" {
				return operation, parts[0], parts[2]
			}
		case r.Method != http.MethodGet:
		case parts[0] == "":
			return "ListClusters", "", ""
		default:
			return "DescribeCluster", parts[0], ""
		}
	}
	return r.Method + " " + r.URL.Path, "", ""
}

type jsonCluster struct {
	Name                 string            `json:"name"`
	Arn                  string            `json:"arn"`
	CreatedAt            float64           `json:"createdAt"`
	Version              string            `json:"version"`
	Endpoint             string            `json:"endpoint,omitempty"`
	Status               string            `json:"status"`
	PlatformVersion      string            `json:"platformVersion"`
	CertificateAuthority map[string]string `json:"certificateAuthority"`
	Tags                 map[string]string `json:"tags"`
	Identity             any               `json:"identity,omitempty"`
}

func (s *eksStore) describe(req *request) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, known := s.clusters[req.caller.account][req.resource]
	if !known {
		return nil, refusal(http.StatusNotFound, "ResourceNotFoundException", "No cluster found for name: %s.", req.resource)
	}
	out := jsonCluster{
		Name: c.Name, Arn: "arn:aws:eks:" + s.opts.Region + ":" + c.AccountID + ":cluster/" + c.Name,
		CreatedAt: float64(c.created.UnixMilli()) / 1000, Version: c.Version, Status: c.Status,
		PlatformVersion: "eks.1", CertificateAuthority: map[string]string{}, Tags: map[string]string{},
	}
	if c.Status != "CREATING" && c.Status != "PENDING" {
		out.Endpoint = c.Endpoint
		if c.Issuer != "" {
			out.Identity = map[string]any{"oidc": map[string]string{"issuer": c.Issuer}}
		}
		out.CertificateAuthority["data"] = base64.StdEncoding.EncodeToString(c.CAPEM)
	}
	return map[string]any{"cluster": out}, nil
}

func (s *eksStore) list(req *request) (any, error) {
	most, size := 100, req.query.Get("maxResults")
	if size != "" {
		n, err := strconv.Atoi(size)
		if err != nil || n < 1 || n > 100 {
			return nil, badRequest("InvalidParameterException", "maxResults needs to be 1 or greater, and 100 or less")
		}
		most = n
	}
	names := s.names(req.caller.account)
	if after := req.query.Get("nextToken"); after != "" {
		names = slices.DeleteFunc(names, func(name string) bool { return name <= after })
	}
	answer := map[string]any{"clusters": names[:min(most, len(names))], "nextToken": nil}
	if len(names) == 0 {
		answer["clusters"] = []string{}
	}
	if len(names) > most {
		answer["nextToken"] = names[most-1]
	}
	return answer, nil
}

// eksAnswer writes an answer or a refusal as REST-JSON does: the code is in a
// header. Refusals that all services share have names of their own in EKS.
func eksAnswer(header http.Header, answer any, err error) (status int, body []byte, encodeErr error) {
	status = http.StatusOK
	if err != nil {
		refused := *asAPIError(err)
		switch refused.code {
		case "Throttling":
			refused.code, refused.status = "ThrottlingException", http.StatusTooManyRequests
		case "AccessDenied":
			refused.code = "AccessDeniedException"
		case "InternalFailure":
			refused.code = "ServerException"
		case "ServiceUnavailable":
			refused.code = "ServiceUnavailableException"
		}
		status = refused.status
		header.Set("X-Amzn-Errortype", refused.code)
		answer = map[string]string{"message": refused.message}
	}
	body, encodeErr = json.Marshal(answer)
	return status, body, encodeErr
}
