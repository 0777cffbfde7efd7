package repeat

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"benchbook/lab"
	"benchbook/notebook/bundle"
	"benchbook/notebook/record"
	"benchbook/notebook/recordtest"
)

// measured has records of two hosts: those of the author, and those that somebody else sends.
func measured(t *testing.T, changes ...recordtest.Change) *recordtest.Fixture {
	t.Helper()
	text := recordtest.FrontMatter + recordtest.Fence("experiment", "name: timed\n"+
		"command: {image: 'debian:bookworm-slim', run: 'true'}\nmatrix: {x: [a, b]}\nrepetitions: 3\ncalibrate: false")
	b := recordtest.New(t, text)
	if err := os.WriteFile(filepath.Join(b.Doc.Dir, "article.md"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	settings := filepath.Join(b.Project.Dir, "benchbook.yaml")
	if err := os.WriteFile(settings, []byte("title: Accepted\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, trial := range []string{"a", "b"} {
		b.Measure("timed", trial, "20261120T100000Z-aaaa", []float64{1.1, 1.2, 1.3}, append([]recordtest.Change{
			func(r *record.Record) { r.Host, r.Looks, r.Ended = "c1-aaaaaa", nil, r.Started.Add(2e9) }}, changes...)...)
	}
	return b
}

// packed saves the records of a fixture, and packs the runs.
func packed(t *testing.T, dir record.Dir, records []*record.Record) {
	t.Helper()
	for _, r := range records {
		if err := dir.Save(r); err != nil {
			t.Fatal(err)
		}
	}
	r := records[0]
	if err := dir.Pack(r.Host, r.Profile, r.Run); err != nil {
		t.Fatal(err)
	}
}

// What somebody sends is accepted if it is what he measured, and refused, with the reason and without a change here, if
// it could do harm to what is here.
func TestAccept(t *testing.T) {
	const run, host = "20261121T100000Z-bbbb", "c2-bbbbbb"
	other := func(r *record.Record) {
		r.Run, r.Host = run, host
		r.Started, r.Ended = r.Started.AddDate(0, 0, 1), r.Ended.AddDate(0, 0, 1)
		for i := range r.Samples {
			r.Samples[i].Value += 0.03125
		}
	}
	file := record.PackPath(host, "full", run)
	// resealed is a line of gc about a run of the author, as if it had removed a record of that.
	removed := func(line []byte) []byte {
		var r struct{ Seal json.RawMessage }
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatal(err)
		}
		return []byte(`{"removed":true,"host":"c1-aaaaaa","profile":"full","run":"20261120T100000Z-aaaa","seal":` +
			string(r.Seal) + "}\n")
	}
	tests := []struct {
		name   string
		change recordtest.Change
		edit   func(files map[string][]byte)
		err    string
	}{
		{"as it was measured", other, nil, ""},
		{"an edited number", other, func(f map[string][]byte) {
			f[file] = bytes.Replace(f[file], []byte("1.13125"), []byte("1.03125"), 1)
		}, "changed after it was measured"},
		{"a record that is gone", other, func(f map[string][]byte) {
			_, f[file], _ = bytes.Cut(f[file], []byte("\n"))
		}, "changed after it was measured"},
		{"no records", other, func(f map[string][]byte) { f[file] = nil }, "no records"},
		{"a line that is no record", other, func(f map[string][]byte) { f[file] = append(f[file], "{}\n"...) },
			"no records: "},
		{"the file of another run", other, func(f map[string][]byte) {
			f[record.PackPath(host, "full", "20261122T100000Z-cccc")] = f[file]
			delete(f, file)
		}, "it belongs in"},
		{"a line of gc about a run of the author", other, func(f map[string][]byte) {
			line, _, _ := bytes.Cut(f[file], []byte("\n"))
			f[file] = append(f[file], removed(line)...)
		}, "it belongs in"},
		{"a signature for a run of the author", other, func(f map[string][]byte) {
			f[record.PackPath("c1-aaaaaa", "full", "20261120T100000Z-aaaa")+".sig"] = []byte("x")
		}, "it is not a pack of records"},
		{"a signature that is none", other, func(f map[string][]byte) { f[file+".sig"] = []byte("x") },
			"the signature cannot be read"},
		{"copies of records of the author", func(r *record.Record) { r.Host, r.Run = host, run }, nil, "copies of records"},
		{"another article", func(r *record.Record) { other(r); r.Article = "other" }, nil, "is of article other"},
		{"other inputs", func(r *record.Record) { other(r); r.Key = "000000000000" }, nil, "none of its records is of what"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			mine := measured(t)
			here := record.Dir(mine.Project.RecordsDir("sample"))
			packed(t, here, mine.Records)
			theirs := record.Dir(t.TempDir())
			packed(t, theirs, measured(t, test.change).Records)
			data, err := os.ReadFile(filepath.Join(string(theirs), file))
			if err != nil {
				t.Fatal(err)
			}
			files := map[string][]byte{file: data}
			if test.edit != nil {
				test.edit(files)
			}
			var inputs []bundle.Input
			for name, data := range files {
				inputs = append(inputs, bundle.Input{Path: recordsFolder + "/" + filepath.ToSlash(name),
					Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }})
			}
			var made bytes.Buffer
			if _, _, err := bundle.Write(&made, bundle.About{Article: "sample"}, inputs); err != nil {
				t.Fatal(err)
			}
			pack := filepath.Join(t.TempDir(), "x.records")
			if err := os.WriteFile(pack, made.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
			var said bytes.Buffer
			a := &lab.Session{Dir: mine.Project.Dir, Stdout: &said, Stderr: &said}
			err = Accept(t.Context(), a, pack, AcceptOptions{})
			if (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
				t.Errorf("got %v, want %q", err, test.err)
			}
			after, chains, readErr := a.ReadRecords(string(here))
			want := map[bool]int{true: 12, false: 6}[test.err == ""]
			if readErr != nil || len(after.Records) != want || len(after.Bad) > 0 {
				t.Errorf("then there are %d records, and %v, %v", len(after.Records), after.Bad, readErr)
			}
			for _, c := range chains {
				if len(c.Problems) > 0 {
					t.Errorf("run %s: %q", c.Run, c.Problems)
				}
			}
		})
	}
}
