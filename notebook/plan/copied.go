package plan

import (
	"path"
	"regexp"
	"slices"
	"strings"
)

// copied is what a Dockerfile takes out of its context: paths and patterns, with "." for all of it.
type copied []string

var (
	continued = regexp.MustCompile(`\\[ \t]*\r?\n`)
	copying   = regexp.MustCompile(`(?im)^[ \t]*(?:ONBUILD[ \t]+)?(?:COPY|ADD)[ \t]+(.*)$`)
	mounting  = regexp.MustCompile(`(?im)^[ \t]*RUN[ \t].*--mount=type=bind`)
	mounted   = regexp.MustCompile(`--mount=\S*\b(?:source|src)=([^,\s]+)`)
	quotes    = strings.NewReplacer("[", " ", "]", " ", ",", " ", `"`, " ")
)

// copiedBy reads the instructions of a Dockerfile that copy. What cannot be told from the text alone counts as all of
// the context.
//
// Source: docs.docker.com/reference/dockerfile, COPY and ADD.
func copiedBy(dockerfile string) copied {
	text := continued.ReplaceAllString(dockerfile, " ")
	var out copied
	if mounting.MatchString(text) {
		out = append(out, ".")
		for _, m := range mounted.FindAllStringSubmatch(text, -1) {
			out = append(out, m[1])
		}
	}
	for _, m := range copying.FindAllStringSubmatch(text, -1) {
		words := m[1]
		if strings.HasPrefix(strings.TrimSpace(words), "[") || strings.Contains(words, `["`) {
			words = quotes.Replace(words)
		}
		fields := strings.Fields(words)
		elsewhere := slices.ContainsFunc(fields, func(f string) bool { return strings.HasPrefix(f, "--from=") })
		fields = slices.DeleteFunc(fields, func(f string) bool { return strings.HasPrefix(f, "--") })
		if elsewhere || len(fields) < 2 {
			continue
		}
		for _, source := range fields[:len(fields)-1] {
			if strings.ContainsAny(source, "$`") {
				source = "."
			}
			out = append(out, strings.TrimPrefix(path.Clean("/"+source), "/"))
		}
	}
	return out
}

// has says whether a file of the context is copied.
func (c copied) has(name string) bool {
	return slices.ContainsFunc(c, func(source string) bool {
		if source == "" || source == "." {
			return true
		}
		for part := name; part != "."; part = path.Dir(part) {
			if is, err := path.Match(source, part); err != nil || is || part == source {
				return true
			}
		}
		return false
	})
}
