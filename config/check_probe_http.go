package config

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// maxSteps bounds the requests of one probe.
const maxSteps = 20

func (c *checker) httpProbe(path string, p *HTTPProbe) {
	without := ""
	if c.probeURLs(path, p) {
		without = "on an http URL; remove it or use https"
	}
	c.probeTrust(path, without, probeTrust{p.ServerName, p.CAFile, p.CertFile, p.KeyFile, p.InsecureSkipVerify})
	c.probeHost(path+".host", p.Host)
	known := c.secretFiles(path+".secretFiles", p.SecretFiles)
	sent := httpRequest{method: p.Method, headers: p.Headers, body: p.Body, expect: p.Expect}
	if len(p.Steps) == 0 {
		c.httpRequest(path, sent, known)
		return
	}
	c.onlySteps(path, p)
	c.headers(path+".headers", p.Headers)
	known = append(make([]string, 0, len(known)), known...) // never nil: steps always know their names
	c.placeholders(path+".headers", p.Headers, known)
	c.httpSteps(path+".steps", p.Steps, known)
}

// probeURLs checks the URLs of both sides, and tells whether both are known and neither speaks TLS.
func (c *checker) probeURLs(path string, p *HTTPProbe) (plain bool) {
	u, ok := c.url(path+".url", p.URL)
	plain = ok && u.Scheme == "http"
	if p.BlueURL == "" {
		return plain
	}
	blue, ok := c.url(path+".blueURL", p.BlueURL)
	if ok && p.BlueURL == p.URL {
		c.faultf(path+".blueURL", "is green's url, so that it would say nothing of blue; use an address that leads to blue alone, or remove it")
	}
	return plain && ok && blue.Scheme == "http"
}

// onlySteps finds what belongs to a single request although there are steps.
func (c *checker) onlySteps(path string, p *HTTPProbe) {
	for key, value := range map[string]string{"url": p.URL, "blueURL": p.BlueURL} {
		if value == "" || c.faulty[path+"."+key] {
			continue
		}
		if u, ok := c.url(path+"."+key, value); ok && (strings.Trim(u.Path, "/") != "" || u.RawQuery != "") {
			c.faultf(path+"."+key, "has a path or a query although there are steps, each with its own; keep the scheme and the host")
		}
	}
	for key, given := range map[string]bool{
		"method": p.Method != "GET" && p.Method != "", "body": p.Body != "",
		"expect": p.Expect.Body != "" || !slices.Equal(p.Expect.Status, []int{200}),
	} {
		if given {
			c.faultf(path+"."+key, "has no effect beside steps; move it into a step")
		}
	}
	if len(p.Steps) > maxSteps {
		c.faultf(path+".steps", "has %d steps; use up to %d", len(p.Steps), maxSteps)
	}
}

// httpSteps checks the requests of a sequence. known are the names that stand for a value in the first of them.
func (c *checker) httpSteps(path string, steps []HTTPStep, known []string) {
	seen := unique{}
	for i, step := range steps {
		at := fmt.Sprintf("%s[%d]", path, i)
		c.label(at+".name", step.Name)
		c.unique(seen, at+".name", step.Name, "is the name of another step of this probe", "choose a name of its own")
		if !c.faulty[at+".path"] {
			// Names in braces are no part of a good path.
			c.httpPath(at+".path", placeholder().ReplaceAllString(step.Path, "x"))
			c.placeholder(at+".path", step.Path, known)
		}
		c.httpRequest(at, httpRequest{method: step.Method, headers: step.Headers, body: step.Body, expect: step.Expect}, known)
		for j, extract := range step.Extract {
			from := fmt.Sprintf("%s.extract[%d]", at, j)
			c.extract(from, extract, known)
			if step.Method == "HEAD" && extract.Header == "" {
				c.faultf(from, "cannot be found in the answer to HEAD, which has no body; use GET or a header")
			}
			known = append(known, extract.Name)
		}
	}
}

func (c *checker) extract(path string, e ProbeExtract, known []string) {
	c.valueName(path+".name", e.Name)
	if slices.Contains(known, e.Name) && e.Name != "" {
		c.faultf(path+".name", "%s stands for another value already; choose a name of its own", e.Name)
	}
	c.exactlyOne(path, map[string]bool{"json": e.JSON != "", "header": e.Header != "", "regexp": e.Regexp != ""}, "json, header or regexp")
	if e.Regexp == "" {
		return
	}
	pattern, err := regexp.Compile(e.Regexp)
	switch {
	case err != nil:
		c.faultf(path+".regexp", "is not a regular expression: %s", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	case pattern.NumSubexp() == 0:
		c.faultf(path+".regexp", "has no group; put parentheses around what is to be taken")
	}
}

// httpRequest is what a probe's only request and a step have in common.
type httpRequest struct {
	method  string
	headers map[string]string
	body    string
	expect  Expect
}

// httpRequest checks one request. Without any known name nothing in it stands for a value.
func (c *checker) httpRequest(path string, r httpRequest, known []string) {
	c.headers(path+".headers", r.headers)
	if r.body != "" && r.method != "POST" {
		c.faultf(path+".body", "is sent with POST alone; set method: POST or remove it")
	}
	if r.method == "HEAD" && r.expect.Body != "" {
		c.faultf(path+".expect.body", "cannot be found in the answer to HEAD, which has no body; use GET or remove it")
	}
	c.expect(path+".expect", r.expect)
	if known == nil {
		return
	}
	c.placeholders(path+".headers", r.headers, known)
	c.placeholder(path+".body", r.body, known)
}

// secretFiles checks the names of secrets, and gives them.
func (c *checker) secretFiles(path string, files map[string]string) []string {
	names := slices.Sorted(maps.Keys(files))
	for _, name := range names {
		at := join(path, name)
		c.valueName(at, name)
		if files[name] == "" {
			c.faultf(at, "is empty; set it to the path of a file")
		}
	}
	return names
}

func (c *checker) valueName(path, name string) {
	c.matches(path, name, regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,62}$`), "a name for a value", "letters, digits and _, beginning with a letter")
}

func placeholder() *regexp.Regexp { return regexp.MustCompile(`\$?\$\{[^}]*\}`) }

func (c *checker) placeholders(path string, texts map[string]string, known []string) {
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		c.placeholder(join(path, name), texts[name], known)
	}
}

// placeholder finds names in a text that nothing is known as.
func (c *checker) placeholder(path, text string, known []string) {
	for _, found := range placeholder().FindAllString(text, -1) {
		if !strings.HasPrefix(found, "$$") && !slices.Contains(known, found[2:len(found)-1]) {
			c.faultf(path, "uses %s, which stands for nothing here; name it in secretFiles or in extract of an earlier step, or write $%s for the text itself", found, found)
		}
	}
}
