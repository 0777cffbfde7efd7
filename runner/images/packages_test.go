package images

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"benchbook/internal/test/assert"
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
		assert.Equal(t, parsePackages(tt.printed), tt.want, "%s", tt.name)
	}
}

// The packages of an image are cached for other runs, by its ID. An image that could not be asked is asked again.
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
	got, asked := ask("", 127, "x")
	assert.Equal(t, [2]any{got, asked}, [2]any{packages{}, 1}, "without a shell")
	want := packages{Debian: "bash 5.2.15", Python: "flask 3.1.3"}
	for i, wanted := range []int{1, 0} {
		got, asked := ask("bash 5.2.15\n-- python\n/x/flask-3.1.3.dist-info\n", 0, "x")
		assert.Equal(t, [2]any{got, asked}, [2]any{want, wanted}, "at time %d", i)
	}
	got, asked = ask("bash 6", 0, "y")
	assert.Equal(t, [2]any{got.Debian, asked}, [2]any{"bash 6", 1}, "another image")
}

func TestCommandsIn(t *testing.T) {
	for _, tt := range []struct {
		script string
		want   []string
	}{
		{"rg -c x /data | sort", []string{"rg", "sort"}},
		{"A=1 exec env B=2 nice tool --flag", []string{"exec", "env", "nice", "tool"}},
		{"if test -f x; then ./run 'a; b'; else \"$X\" y; fi", []string{"if", "test", "then", "./run", "else", "fi"}},
		{"x=$(date +%s); echo $x", []string{"date", "+", "echo"}[:1]},
	} {
		got := commandsIn(tt.script)
		for _, want := range tt.want {
			assert.Equal(t, slices.Contains(got, want), true, "commandsIn(%q) has %q: %q", tt.script, want, got)
		}
		for _, word := range []string{"a", "b", "-c", "-f", "x", "y", "--flag", "B=2"} {
			assert.Equal(t, slices.Contains(got, word), false, "commandsIn(%q) has %q", tt.script, word)
		}
	}
}

// At most as many builds run at once as there are processors, or two.
func TestBuildsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Store{Engine: fake.New(fake.Script{}), Begin: func(string) Preparation { return nobody{} }}
		var needs []Need
		for i := range 4 * atOnce() {
			needs = append(needs, Need{store: s, key: fmt.Sprint(i), make: func(context.Context, io.Writer) (made, error) {
				time.Sleep(time.Second)
				return made{}, nil
			}})
		}
		began := time.Now()
		must.Get(Make(t.Context(), needs...))
		assert.Equal(t, time.Since(began), 4*time.Second, "four times as many builds, each of a second")
	})
}

// nobody is a Preparation that shows nothing.
type nobody struct{ io.Writer }

func (nobody) End(bool) {}
