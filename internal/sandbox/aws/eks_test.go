package aws_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/aws"
)

// authority returns a certificate in PEM.
func authority(t testing.TB) []byte {
	t.Helper()
	key := must[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true}
	der := must[[]byte](t)(x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key))
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func (w *world) cluster(t testing.TB, c aws.Cluster) {
	t.Helper()
	c.Version, c.Endpoint, c.CAPEM = "1.34", "https://127.0.0.1:6443", authority(t)
	if err := w.SetCluster(c); err != nil {
		t.Fatal(err)
	}
}

func TestDescribeCluster(t *testing.T) {
	w := newAccounts(t, aws.Options{})
	ca := authority(t)
	for _, c := range []aws.Cluster{
		{Name: "blue", Version: "1.33", Endpoint: "https://127.0.0.1:6443", CAPEM: ca},
		{Name: "green", Version: "1.34", Status: "CREATING"},
		{Name: "theirs", Version: "1.34", Endpoint: "https://127.0.0.1:6444", CAPEM: ca, AccountID: "222222222222"},
	} {
		if err := w.SetCluster(c); err != nil {
			t.Fatal(err)
		}
	}
	client := eks.NewFromConfig(w.config)
	blue := must[*eks.DescribeClusterOutput](t)(client.DescribeCluster(t.Context(), &eks.DescribeClusterInput{Name: sdk.String("blue")})).Cluster
	if *blue.Arn != "arn:aws:eks:ap-northeast-1:123456789012:cluster/blue" || blue.Status != "ACTIVE" || *blue.Version != "1.33" ||
		*blue.Endpoint != "https://127.0.0.1:6443" || blue.CreatedAt == nil {
		t.Errorf("blue is %+v", blue)
	}
	if data := must[[]byte](t)(base64.StdEncoding.DecodeString(*blue.CertificateAuthority.Data)); string(data) != string(ca) {
		t.Errorf("the certificates came back as %q", data)
	}
	green := must[*eks.DescribeClusterOutput](t)(client.DescribeCluster(t.Context(), &eks.DescribeClusterInput{Name: sdk.String("green")})).Cluster
	if green.Status != "CREATING" || green.Endpoint != nil || green.CertificateAuthority.Data != nil {
		t.Errorf("a cluster that is being created is %+v", green)
	}
	for _, name := range []string{"theirs", "nowhere"} {
		_, err := client.DescribeCluster(t.Context(), &eks.DescribeClusterInput{Name: &name})
		if c := code(t, err); c != "ResourceNotFoundException" || !strings.Contains(err.Error(), "404") {
			t.Errorf("%s: %v", name, err)
		}
	}
	theirs := eks.NewFromConfig(w.assume(t, otherRole).config)
	if _, err := theirs.DescribeCluster(t.Context(), &eks.DescribeClusterInput{Name: sdk.String("theirs")}); err != nil {
		t.Errorf("their own cluster: %v", err)
	}
	if calls := w.Calls(); calls[0].Service != aws.EKS || calls[0].Operation != "DescribeCluster" || calls[0].Resource != "blue" {
		t.Errorf("the call log says %+v", calls[0])
	}
}

func TestClustersArePaged(t *testing.T) {
	w := newWorld(t, aws.Options{})
	client := eks.NewFromConfig(w.config)
	list := func(size *int32) (names []string) {
		pages := eks.NewListClustersPaginator(client, &eks.ListClustersInput{MaxResults: size})
		for pages.HasMorePages() {
			names = append(names, must[*eks.ListClustersOutput](t)(pages.NextPage(t.Context())).Clusters...)
		}
		return names
	}
	if got := list(nil); len(got) != 0 {
		t.Errorf("clusters %q before there are any", got)
	}
	var want []string
	for i := range 5 {
		want = append(want, fmt.Sprintf("c%d", i))
		w.cluster(t, aws.Cluster{Name: want[i]})
	}
	if diff := cmp.Diff(want, list(sdk.Int32(2))); diff != "" {
		t.Errorf("clusters (-want +got):\n%s", diff)
	}
	_, err := client.ListClusters(t.Context(), &eks.ListClustersInput{MaxResults: sdk.Int32(101)})
	if c := code(t, err); c != "InvalidParameterException" {
		t.Errorf("a page of 101: %q", c)
	}
}

func TestFaultsOfEKSAreInItsWords(t *testing.T) {
	for kind, want := range map[aws.FaultKind]string{
		aws.Throttle: "ThrottlingException", aws.AccessDenied: "AccessDeniedException", aws.ServerError: "ServerException",
		aws.ServiceUnavailable: "ServiceUnavailableException", aws.ExpiredCredentials: "ExpiredTokenException",
	} {
		w := newWorld(t, aws.Options{})
		must[func()](t)(w.Inject(aws.Fault{Kind: kind, Service: aws.EKS, Operation: "DescribeCluster"}))
		_, err := eks.NewFromConfig(w.config).DescribeCluster(t.Context(), &eks.DescribeClusterInput{Name: sdk.String("blue")})
		if c := code(t, err); c != want {
			t.Errorf("code %q, want %q", c, want)
		}
	}
}

func TestClustersThatCantBeAreRefused(t *testing.T) {
	for name, change := range map[string]func(*aws.Cluster){
		"without a name":              func(c *aws.Cluster) { c.Name = "" },
		"with a dot in the name":      func(c *aws.Cluster) { c.Name = "a.b" },
		"without a version":           func(c *aws.Cluster) { c.Version = "" },
		"with an endpoint of http":    func(c *aws.Cluster) { c.Endpoint = "http://127.0.0.1" },
		"with certificates not PEM":   func(c *aws.Cluster) { c.CAPEM = []byte("random") },
		"with a status that is none":  func(c *aws.Cluster) { c.Status = "READY" },
		"without certificates at all": func(c *aws.Cluster) { c.CAPEM = nil },
	} {
		c := aws.Cluster{Name: "blue", Version: "1.34", Endpoint: "https://127.0.0.1", CAPEM: authority(t)}
		change(&c)
		if err := aws.New(aws.Options{}).SetCluster(c); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// tokenFor makes a token of EKS the way every client does: presigned at the
// endpoint of the region, with the cluster's name in a signed header.
func tokenFor(t testing.TB, config sdk.Config, cluster string) string {
	t.Helper()
	config = config.Copy()
	config.BaseEndpoint = nil
	presigner := sts.NewPresignClient(sts.NewFromConfig(config))
	signed := must[*v4.PresignedHTTPRequest](t)(presigner.PresignGetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{}, func(o *sts.PresignOptions) {
		o.ClientOptions = append(o.ClientOptions, func(o *sts.Options) {
			o.APIOptions = append(o.APIOptions, smithyhttp.SetHeaderValue("x-k8s-aws-id", cluster), smithyhttp.SetHeaderValue("X-Amz-Expires", "60"))
		})
	}))
	return "k8s-aws-v1." + base64.RawURLEncoding.EncodeToString([]byte(signed.URL))
}

func TestTokensOfEKSTellWhoMadeThem(t *testing.T) {
	w := newAccounts(t, aws.Options{})
	w.cluster(t, aws.Cluster{Name: "blue"})
	w.cluster(t, aws.Cluster{Name: "green", AccountID: "222222222222"})
	user := w.as(credentials.NewStaticCredentialsProvider("AKIAOTHER", "secret", ""))
	role := w.assume(t, otherRole)
	for name, c := range map[string]struct {
		token string
		want  string // account, role, cluster
	}{
		"a role for blue":  {tokenFor(t, role.config, "blue"), "222222222222 " + otherRole + " blue"},
		"a role for green": {tokenFor(t, role.config, "green"), "222222222222 " + otherRole + " green"},
		"a user for blue":  {tokenFor(t, user.config, "blue"), "333333333333 arn:aws:iam::333333333333:user/jo blue"},
	} {
		account, arn, cluster, err := w.VerifyToken(c.token)
		if got := account + " " + arn + " " + cluster; err != nil || got != c.want {
			t.Errorf("%s: %q, %v, want %q", name, got, err, c.want)
		}
	}
}

func TestTokensOfEKSAreRefused(t *testing.T) {
	clk := &clock{t: time.Now()}
	w := newAccounts(t, aws.Options{Now: clk.now})
	w.cluster(t, aws.Cluster{Name: "blue"})
	session := w.assume(t, otherRole)
	good := tokenFor(t, session.config, "blue")
	// edit changes the URL inside of the good token.
	edit := func(old, next string) string {
		inner := must[[]byte](t)(base64.RawURLEncoding.DecodeString(strings.TrimPrefix(good, "k8s-aws-v1.")))
		if !strings.Contains(string(inner), old) {
			t.Fatalf("the token's URL lacks %q: %s", old, inner)
		}
		return "k8s-aws-v1." + base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(string(inner), old, next, 1)))
	}
	elsewhere := session.config.Copy()
	elsewhere.Region = "us-east-1"
	wrongSecret := credentials.NewStaticCredentialsProvider("AKIAOTHER", "guess", "")
	for name, c := range map[string]struct {
		token string
		age   time.Duration
		says  string
	}{
		"the token itself":                {token: good},
		"shortly before it ends":          {token: good, age: 14 * time.Minute},
		"more than 15 minutes old":        {token: good, age: 15*time.Minute + 10*time.Second, says: "ago"},
		"from the future":                 {token: good, age: -6 * time.Minute, says: "ago"},
		"without its prefix":              {token: good[1:], says: "begin with"},
		"longer than 4096 bytes":          {token: good + strings.Repeat("A", 4096), says: "4096"},
		"not in base64":                   {token: "k8s-aws-v1.!", says: "illegal base64"},
		"with padding":                    {token: good + "=", says: "illegal base64"},
		"for another host":                {token: edit("https://sts.ap-northeast-1.amazonaws.com", "https://sts.example.com"), says: "endpoint"},
		"for another region":              {token: tokenFor(t, elsewhere, "blue"), says: "endpoint"},
		"over http":                       {token: edit("https://", "http://"), says: "endpoint"},
		"with a path":                     {token: edit(".com/?", ".com/x?"), says: "path"},
		"for another action":              {token: edit("GetCallerIdentity", "AssumeRole"), says: "action"},
		"with a parameter more":           {token: edit("/?", "/?X-More=1&"), says: "X-More"},
		"with a parameter twice":          {token: edit("/?", "/?Action=GetCallerIdentity&"), says: "Action"},
		"that doesn't sign the cluster":   {token: edit("x-k8s-aws-id", "x-other"), says: "x-k8s-aws-id"},
		"that is to last longer":          {token: edit("X-Amz-Expires=60", "X-Amz-Expires=901"), says: "X-Amz-Expires"},
		"with its life changed":           {token: edit("X-Amz-Expires=60", "X-Amz-Expires=900"), says: "signature"},
		"for a cluster that isn't there":  {token: tokenFor(t, session.config, "green"), says: "signature"},
		"signed with another secret":      {token: tokenFor(t, w.as(wrongSecret).config, "blue"), says: "signature"},
		"by a key that nobody knows":      {token: tokenFor(t, w.config, "blue"), says: "isn't known"},
		"of a session that has ended":     {token: good, age: 2 * time.Hour, says: "ago"},
		"without the session's own token": {token: edit("X-Amz-Security-Token=", "X-Amz-Security-Token=0"), says: "session token"},
	} {
		t.Run(name, func(t *testing.T) {
			was := clk.t
			clk.advance(c.age)
			defer func() { clk.t = was }()
			_, _, _, err := w.VerifyToken(c.token)
			if (err == nil) != (c.says == "") || (err != nil && !strings.Contains(err.Error(), c.says)) {
				t.Errorf("error %v, want %q", err, c.says)
			}
		})
	}
}

// TestPresignedIdentityOfACluster: the token's URL is a call of STS, good with
// the header that it signs and refused without.
func TestPresignedIdentityOfACluster(t *testing.T) {
	w := newAccounts(t, aws.Options{})
	session := w.assume(t, otherRole)
	token := tokenFor(t, session.config, "blue")
	inner := must[[]byte](t)(base64.RawURLEncoding.DecodeString(strings.TrimPrefix(token, "k8s-aws-v1.")))
	here := strings.Replace(string(inner), "https://sts.ap-northeast-1.amazonaws.com", w.url, 1)
	for header, want := range map[string]int{"blue": http.StatusOK, "": http.StatusForbidden} {
		r := must[*http.Request](t)(http.NewRequestWithContext(context.WithoutCancel(t.Context()), http.MethodGet, here, nil))
		if header != "" {
			r.Header.Set("x-k8s-aws-id", header)
		}
		answer := must[*http.Response](t)(http.DefaultClient.Do(r))
		if err := answer.Body.Close(); err != nil || answer.StatusCode != want {
			t.Errorf("with the header %q: status %d, want %d (%v)", header, answer.StatusCode, want, err)
		}
	}
}
