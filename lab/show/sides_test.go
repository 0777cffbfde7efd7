package show

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"benchbook/internal/test/assert"
	"benchbook/notebook/record"
)

// A host is named by its full name or by its class, which may have several hosts.
func TestNamedHosts(t *testing.T) {
	var records []*record.Record
	for _, host := range []string{"c2-39de7f.7f3a", "c2-39de7f.0001", "c8-0a1b2c", "c2-39de7f.7f3a"} {
		records = append(records, &record.Record{Host: host})
	}
	for name, want := range map[string]int{"c2-39de7f.7f3a": 2, "c2-39de7f": 3, "c8-0a1b2c": 1, "c2": 0, "": 0} {
		found, known := named(records, "host", name)
		assert.Equal(t, len(found), want, "records of %q", name)
		assert.Slice(t, known, []string{"c8-0a1b2c", "c2-39de7f.7f3a", "c2-39de7f.0001"}, "hosts")
	}
}

// A side without compared records has no time, so no time between the sides is printed.
func TestSideWithoutRecords(t *testing.T) {
	side := func(name string, runs ...string) Side {
		s := Compared{Article: "x", Host: "h", Profile: "full", Runs: runs}
		if len(runs) > 0 {
			s.From = time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
		}
		return Side{Kind: "run", Name: name, Sets: []Compared{s}}
	}
	c := Comparison{A: side("1"), B: side("2", "2")}
	var out strings.Builder
	c.report().Text(&out)
	assert.Contains(t, out.String(), "  A, x: profile full, host h, no records to compare\n",
		"  B, x: profile full, host h, 2, measured 2026-11-20 10:00\n")
	assert.Lacks(t, out.String(), "apart")
}

// Two sides that differ in host and profile are compared where they are most alike.
func TestAlike(t *testing.T) {
	sets := func(names ...string) (out []*record.Record) {
		for _, n := range names {
			host, profile, _ := strings.Cut(n, "/")
			out = append(out, &record.Record{Host: host, Profile: profile, Run: "1"})
		}
		return out
	}
	for _, tt := range []struct {
		name string
		a, b []string
		want string
	}{
		{"this host first", []string{"x/full", "here/full"}, []string{"x/full", "here/full"}, "here/full here/full"},
		{"full before quick", []string{"here/quick", "here/full"}, []string{"here/full", "here/quick"},
			"here/full here/full"},
		{"what both have", []string{"here/full", "x/quick"}, []string{"x/quick", "y/full"}, "x/quick x/quick"},
		{"a host before a profile", []string{"here/full", "x/quick"}, []string{"y/full", "x/full"}, "x/quick x/full"},
		{"a profile", []string{"here/full", "here/quick"}, []string{"x/quick"}, "here/quick x/quick"},
		{"nothing in common", []string{"here/quick"}, []string{"x/full"}, "here/quick x/full"},
	} {
		x, y := alike(sets(tt.a...), sets(tt.b...), "here")
		got := fmt.Sprintf("%s/%s %s/%s", x.host, x.profile, y.host, y.profile)
		assert.Equal(t, got, tt.want, "%s", tt.name)
	}
}
