package doctest

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// command is a command line that a document tells people to type.
type command struct {
	// Text is the line as a shell gets it, without comment, and with names in the place
	// of those that a reader puts in.
	Text string
	// Places are the documents and lines that have it.
	Places []string
}

// programs are what a line of code begins with that is a command.
func programs() string {
	return `(?:\.cache/bin/)?(?:aws|buildah|chronyc|clusterswitch|curl|docker|echo|eksctl|export|flux|git|go|helm|jq|kubectl|kubectl-clusterswitch|` +
		`make|npm|apt|podman|promtool|sandbox|sudo|terraform|timedatectl)`
}

// commands gives every command of the documents, of the examples' comments and of
// the chart's, each once.
func commands(t *testing.T) []command {
	t.Helper()
	f := newFinder()
	found := map[string]*command{}
	add := func(name, text string, indent int) {
		for _, line := range f.commandLines(text, indent) {
			c := found[line.text]
			if c == nil {
				c = &command{Text: line.text}
				found[line.text] = c
			}
			c.Places = append(c.Places, fmt.Sprintf("%s:%d", name, line.number))
		}
	}
	for name, text := range documents(t) {
		indent := 4
		if name == "docs/cli.md" { // help texts, which are indented as a terminal shows them
			indent = 2
		}
		if name != "CHANGELOG.md" { // what was, stays as it was
			add(name, text, indent)
		}
	}
	for _, pattern := range []string{"charts/*/README.md", "examples/*.md", "examples/*/*.md"} {
		for _, name := range matching(t, pattern) {
			add(name, read(t, name), 4)
		}
	}
	for _, pattern := range []string{"examples/*.yaml", "examples/*/*.yaml", "charts/*/files/*.yaml", "charts/*/values.yaml"} {
		for _, name := range matching(t, pattern) {
			add(name, commentsOf(read(t, name)), 2)
		}
	}
	all := make([]command, 0, len(found))
	for _, c := range found {
		slices.Sort(c.Places)
		all = append(all, *c)
	}
	slices.SortFunc(all, func(a, b command) int { return strings.Compare(a.Text, b.Text) })
	return all
}

func matching(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, pattern))
	if err != nil {
		t.Fatal(err)
	}
	for i, file := range files {
		if files[i], err = filepath.Rel(root, file); err != nil {
			t.Fatal(err)
		}
		files[i] = filepath.ToSlash(files[i])
	}
	return files
}

// commentsOf gives the comments of a YAML file as text, each on its line. A command
// at the end of a sentence stands in backticks then.
func commentsOf(text string) string {
	var out strings.Builder
	atEnd := regexp.MustCompile(`: (clusterswitch [a-z].*[^.])$`)
	for line := range strings.Lines(text) {
		_, comment, ok := strings.Cut(strings.TrimRight(line, "\n"), "# ")
		if ok && !strings.HasPrefix(comment, " ") {
			comment = atEnd.ReplaceAllString(comment, ": `$1`")
		}
		out.WriteString(comment + "\n")
	}
	return out.String()
}

// commandLine is a command and the number of its line.
type commandLine struct {
	text   string
	number int
}

// finder finds commands in documents.
type finder struct {
	fence, begins, typed, listed, span *regexp.Regexp
	broken, spaces                     *regexp.Regexp
	names                              *strings.Replacer
	// readers are the names that a reader puts in, by what the tests put in.
	readers map[string]*regexp.Regexp
}

func newFinder() *finder {
	f := &finder{
		fence:   regexp.MustCompile("^ *```([a-z]*)"),
		begins:  regexp.MustCompile(`^` + programs() + ` \S`),
		typed:   regexp.MustCompile(`(?:run: |command: |^\s*- )(` + programs() + ` [a-z].*)$`),
		listed:  regexp.MustCompile(`(?:args: |"args": )\[([^\]]*)\]`),
		span:    regexp.MustCompile("`(" + programs() + "[ \n][^`]*)`"),
		broken:  regexp.MustCompile(`\\?\n`),
		spaces:  regexp.MustCompile(` {2,}`),
		names:   strings.NewReplacer("[PAIR]", "shop", "CLUSTER|PAIR", "shop", "$(params.pair)", "shop"),
		readers: map[string]*regexp.Regexp{},
	}
	for put, names := range map[string]string{"shop": "PAIR|CLUSTER", "bash": "SHELL", "clusterswitch.yaml": "FILE"} {
		f.readers[put] = regexp.MustCompile(`\b(?:` + names + `)\b`)
	}
	return f
}

// commandLines finds the commands of a document: in fences of a shell and in
// indented code, where one line that is a command makes all others commands too; in
// pipelines' YAML and JSON; and in a sentence's code.
func (f *finder) commandLines(document string, indent int) []commandLine {
	lines := strings.Split(document, "\n")
	var found []commandLine
	prose := slices.Clone(lines)
	for i := 0; i < len(lines); i++ {
		if fence := f.fence.FindStringSubmatch(lines[i]); fence != nil {
			end := i + 1
			for end < len(lines) && !strings.HasPrefix(strings.TrimSpace(lines[end]), "```") {
				end++
			}
			found = append(found, f.fenced(fence[1], lines[i+1:min(end, len(lines))], i+2)...)
			clear(prose[i:min(end+1, len(lines))])
			i = end
			continue
		}
		margin := strings.Repeat(" ", indent)
		if !strings.HasPrefix(lines[i], margin) || i > 0 && strings.TrimSpace(lines[i-1]) != "" {
			continue
		}
		end := i
		for end < len(lines) && strings.HasPrefix(lines[end], margin) {
			end++
		}
		if block := f.shellLines(lines[i:end], i+1); block != nil {
			found = append(found, block...)
			clear(prose[i:end])
			i = end - 1
		}
	}
	return append(found, f.inSentences(strings.Join(prose, "\n"))...)
}

func (f *finder) fenced(language string, lines []string, number int) []commandLine {
	switch language {
	case "sh", "bash", "shell", "console", "":
		return f.shellLines(lines, number)
	case "yaml", "json":
		return f.inPipelines(lines, number)
	}
	return nil
}

// shellLines gives the commands of a block of code; nil: it has none. Usage, which
// ends in [flags], is none.
func (f *finder) shellLines(lines []string, number int) []commandLine {
	var found []commandLine
	begun := false
	for i := 0; i < len(lines); i++ {
		text, at := withoutComment(strings.TrimPrefix(strings.TrimSpace(lines[i]), "$ ")), number+i
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		begun = begun || f.begins.MatchString(text) && !strings.HasSuffix(text, "[flags]")
		for open(text) && i+1 < len(lines) {
			i++
			text += "\n" + withoutComment(strings.TrimSpace(lines[i]))
		}
		found = append(found, commandLine{f.tidy(text), at})
	}
	if !begun {
		return nil
	}
	return found
}

// inPipelines gives the commands of a pipeline's steps. A container of the image has
// the program for its entrypoint, so its arguments are a command.
func (f *finder) inPipelines(lines []string, number int) []commandLine {
	var found []commandLine
	for i, line := range lines {
		if match := f.typed.FindStringSubmatch(withoutComment(line)); match != nil {
			found = append(found, commandLine{f.tidy(match[1]), number + i})
		}
		for _, match := range f.listed.FindAllStringSubmatch(line, -1) {
			args := strings.Fields(strings.NewReplacer(`"`, "", ",", " ").Replace(match[1]))
			found = append(found, commandLine{f.tidy("clusterswitch " + strings.Join(args, " ")), number + i})
		}
	}
	return found
}

// inSentences gives the commands in a text's code spans, which may be broken over two
// lines, and in a table's, where a bar is escaped.
func (f *finder) inSentences(prose string) []commandLine {
	var found []commandLine
	for _, at := range f.span.FindAllStringSubmatchIndex(prose, -1) {
		text := strings.ReplaceAll(prose[at[2]:at[3]], `\|`, "|")
		found = append(found, commandLine{f.tidy(text), 1 + strings.Count(prose[:at[0]], "\n")})
	}
	return found
}

// withoutComment takes a comment off the end of a line.
func withoutComment(line string) string {
	for at := range line {
		if strings.HasPrefix(line[at:], " #") && !open(line[:at]) {
			return strings.TrimRight(line[:at], " ")
		}
	}
	return line
}

// tidy takes broken lines and alignment off a command, and puts names in
// for those that a reader puts in. What is in quotes stays.
func (f *finder) tidy(text string) string {
	text = f.names.Replace(f.spaces.ReplaceAllString(f.broken.ReplaceAllString(text, " "), " "))
	for put, name := range f.readers {
		text = name.ReplaceAllString(text, put)
	}
	return strings.TrimSpace(text)
}
