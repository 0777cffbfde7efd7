package runner

import (
	"encoding/json"
	"regexp"
	"strings"

	"benchbook/notebook/plan"
)

// redacted stands where a secret stood.
const redacted = "[redacted]"

var (
	secretName = regexp.MustCompile(`(?i)(passw|secret|token|credential|private|api_?key|access_?key|auth)`)
	// secretInside finds a password within a longer value: a DSN or a URL.
	secretInside = regexp.MustCompile(`(?i)((?:password|passwd|pwd|secret|token)=)[^\s;&]+|(://[^\s:/@]+:)[^\s@/]+(@)`)
	escapes      = regexp.MustCompile(`\x1b\[[0-9;?]*[A-Za-z]`)
	urlHost      = regexp.MustCompile(`(https?://)[^\s/"']+`)
)

// A redactor takes secrets out of what goes into records: values of variables and build arguments that look like one, wherever
// they appear, and the names of package mirrors in the output of builds.
type redactor struct{ words []string }

func newRedactor(t *plan.Trial) *redactor {
	r := &redactor{}
	environment := func(list []string) {
		for _, v := range list {
			name, value, _ := strings.Cut(v, "=")
			r.learn(name, value)
		}
	}
	image := func(i plan.Image) {
		if i.Build != nil {
			for name, value := range i.Build.Args {
				r.learn(name, value)
			}
		}
	}
	for _, s := range t.Services {
		environment(s.Environment)
		image(s.Image)
	}
	if t.Command != nil {
		environment(t.Command.Environment)
		image(t.Command.Image)
	}
	if t.Load != nil {
		for name, value := range t.Load.Headers {
			r.learn(name, value)
		}
	}
	return r
}

// learn remembers a value whose name says that it is secret. Very short ones would tear holes into everything else.
func (r *redactor) learn(name, value string) {
	if secretName.MatchString(name) && len(value) >= 4 {
		r.words = append(r.words, value)
	}
}

// text is s without secrets.
func (r *redactor) text(s string) string {
	for _, word := range r.words {
		s = strings.ReplaceAll(s, word, redacted)
	}
	return secretInside.ReplaceAllString(s, "${1}${2}"+redacted+"${3}")
}

// definition is a trial's definition without secrets; it stays JSON, since only whole words inside strings are replaced.
func (r *redactor) definition(data json.RawMessage) json.RawMessage {
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		return data
	}
	out, err := json.Marshal(r.walk(v))
	if err != nil {
		return data
	}
	return out
}

func (r *redactor) walk(v any) any {
	switch v := v.(type) {
	case string:
		return r.text(v)
	case []any:
		for i := range v {
			v[i] = r.walk(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = r.walk(v[k])
		}
	}
	return v
}

// BuildOutput is the output of an image build as it may be shown: without the names of package mirrors, and without the
// sequences that colour a terminal.
func BuildOutput(s string) string {
	return escapes.ReplaceAllString(urlHost.ReplaceAllString(s, "${1}…"), "")
}
