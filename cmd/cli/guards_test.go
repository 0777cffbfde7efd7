package cli

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"benchbook/internal/slowtest"
	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/runner/machine"
)

var updateGuards = flag.Bool("update-guards", false, "write the golden files of TestGuards anew")

// TestGuards checks the articles against golden files: a changed key makes committed records stale, and a changed
// verdict, value or interval makes a published page wrong. Each line is a trial with its key, or a claim with its
// verdict, value and interval to the last digit, as they were on 25 November 2026, or on the day of a newer session of
// this article. The commit that changes a line says why.
func TestGuards(t *testing.T) {
	project := filepath.Join("..", "..")
	var planned struct {
		Experiments []struct {
			Article, Experiment string
			Trials              []struct{ Trial, Key string }
		}
	}
	decode(t, &planned, "-C", project, "plan", "--profile", "full", "--json")
	var keys strings.Builder
	for _, e := range planned.Experiments {
		for _, trial := range e.Trials {
			fmt.Fprintf(&keys, "%s#%s\t%s\t%s\n", e.Article, e.Experiment, trial.Trial, trial.Key)
		}
	}
	checkGuard(t, "keys.txt", keys.String())

	// What pages say elsewhere, with the sessions of the class, and the records of each host alone.
	files := map[string][]string{"claims-of-pages.txt": nil}
	if slowtest.Run() {
		maps.Copy(files, map[string][]string{"claims.txt": {"--host", "c2-ecb3ae"},
			"claims-0d71.txt": {"--host", "c2-ecb3ae.0d71"}, "claims-0cc6.txt": {"--host", "c2-ecb3ae.0cc6"},
			"claims-0435.txt": {"--host", "c2-ecb3ae.0435"}})
	}
	for file, of := range files {
		var shown []struct {
			Article string
			Claims  []struct {
				Claim, Verdict string
				Value, Lo, Hi  json.Number
			}
		}
		decode(t, &shown, slices.Concat([]string{"-C", project, "show", "--profile", "full", "--json"}, of)...)
		var claims strings.Builder
		for _, a := range shown {
			for _, c := range a.Claims {
				fmt.Fprintf(&claims, "%s\t%s\t%s\t%s\t%s\t%s\n", a.Article, c.Claim, c.Verdict, c.Value, c.Lo, c.Hi)
			}
		}
		checkGuard(t, file, claims.String())
	}
}

// decode runs the command on a machine without records, and reads the JSON that it prints.
func decode(t *testing.T, into any, args ...string) {
	t.Helper()
	w := scripted()
	w.Host = &machine.Host{ID: "elsewhere"}
	must.Do(json.Unmarshal([]byte(mustRun(t, w, args...)), into))
}

// checkGuard compares the sorted lines of text with a golden file: the order of blocks in an article is not guarded.
func checkGuard(t *testing.T, name, text string) {
	t.Helper()
	name = filepath.Join("testdata", "guards", name)
	got := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	slices.Sort(got)
	if *updateGuards {
		must.Write(name, strings.Join(got, "\n"))
	}
	want := strings.Split(must.Read(name), "\n")
	assert.Equal(t, len(got), len(want), "lines of %s", name)
	for i := range min(len(got), len(want)) {
		assert.Equal(t, got[i], want[i], "%s:%d", name, i+1)
	}
}
