package cli

import (
	"encoding/json"
	"fmt"
	"html/template"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"benchbook/internal/slowtest"
	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/notebook/record"
	"benchbook/notebook/recordtest"
	"benchbook/render/rendertest"
)

// recordedProject makes a project with an article of every kind of block, whose records of two runs have all fields,
// and one with the committed records of a command. It returns the lines of the second run and of the committed records.
// Words of the article are replaced by others, in pairs.
func recordedProject(t *testing.T, replaced ...string) (dir string, lines []recordtest.Line) {
	t.Helper()
	text := must.Read(filepath.Join("..", "..", "render", "testdata", "everything.md"))
	for i := 0; i < len(replaced); i += 2 {
		if !strings.Contains(text, replaced[i]) {
			t.Fatalf("the article does not say %q", replaced[i])
		}
		text = strings.ReplaceAll(text, replaced[i], replaced[i+1])
	}
	b := rendertest.WithFiles(t, "everything", []byte(text), map[string]string{"picture.png": "a picture"})
	fill := func(r *record.Record) {
		if r.Search != nil {
			return
		}
		r.Parts, r.Plans = map[string]float64{"start": 1}, map[string]string{r.Experiment: r.Plan}
		r.Missing = map[string]string{"rps": "the tool did not print it"}
		r.Before = &record.Before{Waited: 1}
		r.Machine.Threads = map[string]float64{"server": 0.5}
		r.Machine.Sampling = &record.Sampling{Cost: 0.1, Gap: 1}
		r.Load.WindowStart = r.Started
		r.Load.Failures, r.Load.Statuses = map[string]int64{"connect": 1}, map[string]int64{"200": 10}
		for range r.Load.Completions {
			r.Load.Answers, r.Load.Latencies = append(r.Load.Answers, 50), append(r.Load.Latencies, 0.5)
		}
		if r.Experiment == "tuned" {
			r.Load.Open = &record.OpenLoop{Rate: 100, Arrivals: "poisson", Due: 100, Sent: 100}
		}
	}
	b.MeasureAll(fill, rendertest.In(runBefore, 10))
	b.MeasureAll(fill, rendertest.In(runAfter, 20))
	for _, r := range b.Records {
		must.Do(record.Dir(filepath.Join(b.Dir(), "records")).Save(r))
	}
	for _, l := range recordtest.Lines(t, filepath.Join(b.Dir(), "records")) {
		if strings.Contains(l.File, runAfter) {
			lines = append(lines, l)
		}
	}
	dir = filepath.Join(b.Dir(), "..", "..")
	hello := filepath.Join(dir, "experiments", "hello")
	must.Do(os.CopyFS(hello, os.DirFS(filepath.Join("..", "..", "experiments", "hello"))))
	return dir, append(lines, recordtest.Lines(t, filepath.Join(hello, "records"))...)
}

// A mutation gives a field of a record another value.
type mutation struct {
	field string
	value any
}

// gone is a mutation that removes a field.
type gone struct{}

// variants are what somebody, or a disk, could make of a value, down to a depth: impossible numbers, other kinds,
// nothing, lists that are shorter or longer.
func variants(v any, depth int) []any {
	out := []any{nil, "text", 7.0, []any{}, map[string]any{}, true, gone{}}
	switch v := v.(type) {
	case float64:
		out = append(out, -3.0, -1.0, 0.0, 0.5, 1e-300, 1e15, 1e18, 1e308, -1e308, json.Number("9223372036854775807"))
	case string:
		out = append(out, "", "\x00", "../../x", "1e400")
	case []any:
		if len(v) > 0 {
			out = append(out, v[:len(v)-1], append(slices.Clone(v), v[0], v[0], v[0]))
		}
		if len(v) > 0 && depth > 0 {
			for _, x := range variants(v[0], depth-1) {
				out = append(out, append([]any{x}, v[1:]...))
			}
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if depth > 0 {
				for _, x := range variants(v[name], depth-1) {
					out = append(out, changed(v, mutation{name, x}))
				}
			}
		}
	}
	return out
}

// changed returns fields with a mutation applied.
func changed(fields map[string]any, m mutation) map[string]any {
	fields = maps.Clone(fields)
	if fields[m.field] = m.value; m.value == (gone{}) {
		delete(fields, m.field)
	}
	return fields
}

// apply returns the text of a record with the mutation.
func (m mutation) apply(data []byte) []byte {
	var fields map[string]any
	must.Do(json.Unmarshal(data, &fields))
	return must.Get(json.Marshal(changed(fields, m)))
}

// everyReader lists the verbs that read records and measure nothing.
func everyReader(out string) [][]string {
	return [][]string{{"show"},
		{"show", "everything#servers", "everything#tuned", "everything#bears"}, {"show", "--json"},
		{"show", "everything", "--trial", "async, 1"}, {"show", "--format", "csv"},
		{"show", "--format", "benchfmt"}, {"compare", runBefore, runAfter, "everything"},
		{"clean", "--records", "--dry-run"}, {"plan"},
		{"render", "--output", out}}
}

// After any change of a record's fields, every verb ends as it does without that record. Many changed records are read
// at a time; only after a panic or an error are they tried one by one. All mutations take about a hundred rounds.
func TestMutatedRecords(t *testing.T) {
	slowtest.SkipSequential(t)
	dir, lines := recordedProject(t, "repetitions: 3\n", "repetitions: 7\n",
		"matrix: {server: [sync, async]}", "matrix: {server: [sync, async, pool, fork, lanes, poll]}")
	byKind := map[string][]recordtest.Line{} // by the fields of the record
	for _, l := range lines {
		var fields map[string]any
		must.Do(json.Unmarshal(l.Text, &fields))
		search, _ := fields["search"].(map[string]any)
		_, first := fields["lists"] // which one record of a run has for all
		delete(fields, "lists")
		kind := fmt.Sprint(slices.Sorted(maps.Keys(fields)), search["kind"], fields["experiment"] == "tuned")
		if byKind[kind] = append(byKind[kind], l); first { // its mutations are those of all
			slices.Reverse(byKind[kind])
		}
	}
	if len(byKind) < 5 {
		t.Fatalf("there are records of %d kinds only", len(byKind))
	}
	// In each round every line has one mutation of its kind.
	var rounds [][]attempt
	tried, taken := 0, 0
	for _, kind := range slices.Sorted(maps.Keys(byKind)) {
		of := byKind[kind]
		var fields map[string]any
		must.Do(json.Unmarshal(of[0].Text, &fields))
		n, known := 0, map[string]bool{}
		for _, name := range slices.Sorted(maps.Keys(fields)) {
			depth := 100
			if name == "definition" {
				depth = 4 // further down the article decides
			}
			for _, value := range variants(fields[name], depth) {
				tried++
				m := mutation{name, value}
				r, err := record.Parse(m.apply(of[0].Text))
				if err != nil {
					continue // TestBadRecordCostsItsCell has such
				}
				read := string(must.Get(r.Line()))
				if known[read] {
					continue // another way to write the same
				}
				known[read] = true
				taken++
				if round := n / len(of); round == len(rounds) {
					rounds = append(rounds, nil)
				}
				rounds[n/len(of)] = append(rounds[n/len(of)], attempt{of[n%len(of)], m})
				n++
			}
		}
	}
	t.Logf("%d of %d mutations are taken for records, in %d rounds", taken, tried, len(rounds))
	if testing.Short() {
		rounds = rounds[:min(len(rounds), 3)]
	}
	for worker := range 2 { // each in a project of its own
		project := t.TempDir()
		must.Do(os.CopyFS(project, os.DirFS(dir)))
		t.Run(fmt.Sprint(worker), func(t *testing.T) {
			t.Parallel()
			out := filepath.Join(t.TempDir(), "site")
			for i := worker; i < len(rounds); i += 2 {
				attempts := rounds[i]
				failed := tryMutations(t, dir, project, out, attempts)
				if failed == "" {
					continue
				}
				alone := 0
				for _, a := range attempts {
					if why := tryMutations(t, dir, project, out, []attempt{a}); why != "" {
						alone++
						t.Errorf("%s:%d: %s is %.1000v: %s", filepath.Base(a.line.File), a.line.Number, a.field, a.value, why)
					}
				}
				if alone == 0 {
					t.Errorf("%d mutations together: %s", len(attempts), failed)
				}
			}
		})
	}
}

// An attempt is a mutation of a line.
type attempt struct {
	line recordtest.Line
	mutation
}

// tryMutations applies mutations to a copy of dir, and returns which verb fails on it.
func tryMutations(t *testing.T, dir, project, out string, attempts []attempt) (failed string) {
	t.Helper()
	var mutated, before []recordtest.Line
	for _, a := range attempts {
		l := a.line
		l.File = project + strings.TrimPrefix(l.File, dir)
		before = append(before, l)
		l.Text = a.apply(a.line.Text)
		mutated = append(mutated, l)
	}
	recordtest.Put(t, mutated...)
	// What other verbs do is part of what these do.
	for _, verb := range [][]string{{"show", "--json"}, {"compare", runBefore, runAfter, "everything"},
		{"render", "--output", out}} {
		if status, _, stderr := benchbook(project, verb...); status != 0 {
			failed = fmt.Sprintf("benchbook %s ends with status %d: %s", strings.Join(verb, " "), status,
				stderr[max(0, len(stderr)-500):])
			break
		}
	}
	recordtest.Put(t, before...)
	return failed
}

// An unreadable or impossible record affects only its cell: all verbs end as before, the cell says why, and all other
// cells stay the same.
func TestBadRecordCostsItsCell(t *testing.T) {
	slowtest.SkipSequential(t)
	tests := []struct {
		name     string
		old, new string // a pattern and its replacement
		why      string
	}{
		{"a window below zero", `"window":10`, `"window":-3`, "load.window is -3, and cannot be less than 0"},
		{"a metric called as markup", `("samples":\[\{"metric":)"[^"]+"`, `${1}"<img src=x>"`,
			`a sample: invalid metric "<img src=x>": use letters, digits, - and _, in words joined by dots`},
		{"another host", `"host":"[^"]+"`, `"host":"c2-ffffff"`,
			`by its host, profile and run it belongs in "c2-ffffff/full/` + runAfter + `.jsonl"`},
		{"cut short", `"samples".*`, "", "not a record: the JSON ends too early"},
	}
	whole, lines := recordedProject(t)
	printed := map[int]string{}
	for i, verb := range everyReader(filepath.Join(t.TempDir(), "site")) {
		status, stdout, stderr := benchbook(whole, verb...)
		if status != 0 || strings.Contains(stderr, "left out: ") {
			t.Fatalf("%v: status %d: %s", verb, status, stderr)
		}
		printed[i] = stdout
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			must.Do(os.CopyFS(dir, os.DirFS(whole)))
			verbs := everyReader(filepath.Join(t.TempDir(), "site"))
			spoilt := lines[slices.IndexFunc(lines, func(l recordtest.Line) bool {
				r, err := record.Parse(l.Text)
				return err == nil && r.Experiment == "servers" && r.Trial == "async, 1" && r.Repetition == 2
			})]
			spoilt.File = dir + strings.TrimPrefix(spoilt.File, whole)
			before := string(spoilt.Text)
			if spoilt.Text = regexp.MustCompile(tt.old).ReplaceAll(spoilt.Text, []byte(tt.new)); string(spoilt.Text) == before {
				t.Fatalf("%s is not in the record", tt.old)
			}
			recordtest.Put(t, spoilt)
			for i, verb := range verbs {
				status, stdout, stderr := benchbook(dir, verb...)
				assert.Equal(t, status, 0, "status of %v: %s", verb, stderr)
				assert.Contains(t, stderr, fmt.Sprintf("left out: %s:%d: %s\n", spoilt.File, spoilt.Number, tt.why))
				if verb[0] == "show" && len(verb) > 1 && strings.Contains(verb[1], "#") {
					assert.Contains(t, stdout, "a record was left out: "+tt.why)
					for cell, text := range cellsOf(printed[i]) {
						if now := cellsOf(stdout)[cell]; now != text && !strings.HasPrefix(cell, "everything#servers/async, 1:") {
							t.Errorf("cell %s was\n%s\nand is\n%s", cell, text, now)
						}
					}
				}
			}
			page := must.Read(filepath.Join(verbs[len(verbs)-1][2], "everything", "index.html"))
			assert.Contains(t, page, template.HTMLEscapeString("a record was left out: "+tt.why))
		})
	}
}

// cellsOf splits the output of show into cells.
func cellsOf(shown string) map[string]string {
	out, experiment, cell := map[string]string{}, "", ""
	for line := range strings.Lines(shown) {
		switch {
		case !strings.HasPrefix(line, " "):
			experiment, cell = strings.TrimSpace(line), ""
		case strings.HasPrefix(line, "  ") && !strings.HasPrefix(line, "   ") && strings.Contains(experiment, "#"):
			cell = experiment + "/" + strings.TrimSpace(line)
		}
		if cell != "" {
			out[cell] += line
		}
	}
	return out
}
