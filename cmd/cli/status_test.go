package cli

import (
	"errors"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"benchbook/lab"
)

// The code, --help and the manual list the same exit statuses.
func TestStatusesAreDocumented(t *testing.T) {
	manual := read(t, filepath.Join("..", "..", "docs", "command.md"))
	_, section, _ := strings.Cut(manual, "\n## Exit statuses\n")
	section, _, _ = strings.Cut(section, "\n## ")
	rows := regexp.MustCompile(`(?m)^\| (\d+) \| ([^:|]*)`).FindAllStringSubmatch(section, -1)
	_, help, _ := benchbook(t.TempDir(), "--help")
	if len(rows) != len(lab.Statuses) {
		t.Fatalf("the manual has %d statuses, the code %d", len(rows), len(lab.Statuses))
	}
	for i, s := range lab.Statuses {
		if rows[i][1] != strconv.Itoa(s.Status) {
			t.Errorf("row %d of the manual is of status %s, want %d", i+1, rows[i][1], s.Status)
		}
		if words, _, _ := strings.Cut(s.Meaning, " ("); !strings.HasPrefix(rows[i][2], words) {
			t.Errorf("status %d: the manual says %q, the code %q", s.Status, rows[i][2], s.Meaning)
		}
		if !regexp.MustCompile(`(?m)^  ` + strconv.Itoa(s.Status) + ` +` + regexp.QuoteMeta(s.Meaning) + `$`).MatchString(help) {
			t.Errorf("--help does not list status %d, %s", s.Status, s.Meaning)
		}
	}
}

func TestStatuses(t *testing.T) {
	measured, broken := measuredTwice(t), t.TempDir()
	put(t, filepath.Join(broken, "benchbook.yaml"), "title: Broken\n")
	put(t, filepath.Join(broken, "experiments", "a", "article.md"), "---\ntitle: A\n---\n```yaml experiment\nname: [\n```\n")
	for _, tt := range []struct {
		name, dir, args string
		want            int
	}{
		{"help", measured, "--help", lab.StatusDone},
		{"results", measured, "show", lab.StatusDone},
		{"an unknown verb", measured, "mesure", lab.StatusUsage},
		{"an unknown flag", measured, "show --samples", lab.StatusUsage},
		{"an unknown article", measured, "show nothing", lab.StatusUsage},
		{"a missing argument", measured, "compare", lab.StatusUsage},
		{"no project", t.TempDir(), "plan", lab.StatusUsage},
		{"problems that check finds", broken, "check", lab.StatusFailed},
		{"pages that are not complete", broken, "render", lab.StatusFailed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, _, stderr := benchbook(tt.dir, strings.Fields(tt.args)...); got != tt.want {
				t.Errorf("status %d, want %d: %s", got, tt.want, stderr)
			}
		})
	}
	t.Run("precedence", func(t *testing.T) {
		order := []int{lab.StatusUsage, lab.StatusInterrupted, lab.StatusFailed, lab.StatusGate}
		for i, want := range order {
			for _, other := range order[i:] {
				a, b := lab.WithStatus(want, errors.New("a")), lab.WithStatus(other, errors.New("b"))
				for _, got := range []error{lab.Worse(a, b), lab.Worse(b, a), lab.Worse(nil, a), lab.Worse(a, nil)} {
					if s, ok := errors.AsType[*lab.StatusError](got); !ok || s.Status != want {
						t.Errorf("of %d and %d it is %v", want, other, got)
					}
				}
			}
		}
	})
}
