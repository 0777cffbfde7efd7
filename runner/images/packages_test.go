package images

import (
	"context"
	"slices"
	"strings"
	"testing"

	"benchbook/internal/test/must"
	"benchbook/runner/engine"
	"benchbook/runner/engine/enginetest/fake"
)

func TestParsePackages(t *testing.T) {
	for _, tt := range []struct {
		name, printed string
		want          packages
	}{
		{"Debian alone", "adduser 3.134\nbash 5.2.15\n-- python\n", packages{Debian: "adduser 3.134\nbash 5.2.15"}},
		{"several environments", "-- python\n/opt/a/lib/python3.11/site-packages/flask-3.1.3.dist-info\n" +
			"/opt/b/lib/python3.11/site-packages/flask-3.1.3.dist-info\n" +
			"/usr/local/lib/python3.11/dist-packages/typing_extensions-4.12.2.dist-info\n",
			packages{Python: "flask 3.1.3\ntyping_extensions 4.12.2"}},
		{"the older form", "-- python\n/srv/x/uWSGI-2.0.31-py3.11.egg-info\n/srv/x/own.egg-info\n",
			packages{Python: "own unknown\nuWSGI 2.0.31"}},
		{"nothing", "", packages{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := parsePackages(tt.printed); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

// What an image holds is kept for other runs, by its id. An image that could not be asked is asked again.
func TestPackagesAreKept(t *testing.T) {
	cache := t.TempDir()
	ask := func(printed string, code int, id string) (packages, int) {
		t.Helper()
		e := fake.New(fake.Script{Run: func(context.Context, fake.Program) (engine.Exit, error) {
			return engine.Exit{Code: code, Stdout: []byte(printed)}, nil
		}})
		s := &Store{Engine: e, Cache: cache, Agent: func() ([]byte, error) { return nil, nil }}
		got := must.Get(s.packagesOf(t.Context(), engine.Prepared{ID: id}))
		return got, len(slices.DeleteFunc(e.Calls(), func(call string) bool { return !strings.HasPrefix(call, "run") }))
	}
	if got, asked := ask("", 127, "x"); got != (packages{}) || asked != 1 {
		t.Errorf("without a shell: %+v, asked %d times", got, asked)
	}
	want := packages{Debian: "bash 5.2.15", Python: "flask 3.1.3"}
	for i, wanted := range []int{1, 0} {
		if got, asked := ask("bash 5.2.15\n-- python\n/x/flask-3.1.3.dist-info\n", 0, "x"); got != want || asked != wanted {
			t.Errorf("at time %d: %+v, asked %d times, want %d", i, got, asked, wanted)
		}
	}
	if got, asked := ask("bash 6", 0, "y"); got.Debian != "bash 6" || asked != 1 {
		t.Errorf("another image: %+v, asked %d times", got, asked)
	}
}
