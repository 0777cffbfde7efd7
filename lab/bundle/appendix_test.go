package bundle

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"time"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
)

// hostileAppendix has texts of authors that Markdown and LaTeX would interpret.
var hostileAppendix = appendix{Title: `A & B \input{x} 50 % #1 $x$ ~^ <b>*b*</b>`, Abstract: "one\ntwo", Bundle: "a_b.bundle",
	Slug: "a_b", Host: "CPU_1", Cores: "2", Rights: []string{"50 % of debian:12_x"}, Minutes: "1 machine-minute",
	Claims:      []appendixClaim{{"C1", "faster", "B is 10 % faster {really}", "as claimed", "E1"}},
	Experiments: []appendixExperiment{{"E1", "one", "a_b & c", "1 machine-minute", "benchbook run a_b#one", "C1", 1}}}

func TestAppendix(t *testing.T) {
	var md, tex bytes.Buffer
	for _, x := range []appendix{hostileAppendix, {}} {
		must.Do(appendixMarkdown.Execute(&md, x))
		must.Do(appendixLaTeX.Execute(&tex, x))
	}
	unescaped := regexp.MustCompile(`(^|[^\\])[&%#_]|\\input`)
	for line := range strings.Lines(tex.String()) {
		if !strings.HasPrefix(line, "benchbook") && unescaped.MatchString(line) {
			t.Errorf("LaTeX acts on a text of the author: %s", line)
		}
	}
	assert.Lacks(t, md.String(), "<b>")
	assert.Contains(t, md.String(), "**C1** (faster): ", "1 machine-minute, 1 cell; supports C1")
}

func TestMinutes(t *testing.T) {
	for d, want := range map[time.Duration]string{0: "not measured yet", time.Second: "less than a machine-minute",
		time.Minute: "1 machine-minute", 150 * time.Minute: "150 machine-minutes"} {
		assert.Equal(t, minutes(d), want, "%v", d)
	}
}
