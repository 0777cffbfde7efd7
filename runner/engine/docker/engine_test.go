package docker

import (
	"testing"

	"github.com/moby/moby/api/types/system"
)

// Of an engine without the rights of root its facts say so, and of others nothing.
func TestRootless(t *testing.T) {
	for _, tt := range []struct {
		options []string
		want    string
	}{{[]string{"name=seccomp,profile=builtin", "name=rootless", "name=cgroupns"}, "true"},
		{[]string{"name=seccomp,profile=default"}, ""}} {
		facts, err := (&Engine{info: system.Info{SecurityOptions: tt.options}}).Facts(t.Context())
		if got := facts["engine.rootless"]; err != nil || got != tt.want {
			t.Errorf("%v: got %q, %v, want %q", tt.options, got, err, tt.want)
		}
	}
}
