package show

import (
	"fmt"
	"strings"
	"testing"

	"benchbook/notebook/record"
)

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
		t.Run(tt.name, func(t *testing.T) {
			x, y := alike(sets(tt.a...), sets(tt.b...), "here")
			if got := fmt.Sprintf("%s/%s %s/%s", x.host, x.profile, y.host, y.profile); got != tt.want {
				t.Errorf("compared are %s, want %s", got, tt.want)
			}
		})
	}
}
