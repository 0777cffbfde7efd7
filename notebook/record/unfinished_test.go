package record

import (
	"os"
	"path/filepath"
	"testing"
)

// search is a record of one, with so many probes.
func search(probes int) *Record {
	r := sample()
	r.Repetition, r.Search = 0, &Search{Kind: SearchTune, Name: "workers", Metric: "throughput",
		Probes: make([]Probe, probes)}
	return r
}

// What is kept of a search is replaced by what is kept later, is no record, and goes when it is told to.
func TestUnfinished(t *testing.T) {
	dir := Dir(filepath.Join(t.TempDir(), "records"))
	kept := func(want ...int) {
		t.Helper()
		all, err := dir.Unfinished()
		if err != nil || len(all) != len(want) {
			t.Fatalf("%d are kept, %v, want %d", len(all), err, len(want))
		}
		for i, r := range all {
			if len(r.Search.Probes) != want[i] {
				t.Errorf("%d probes are kept, want %d", len(r.Search.Probes), want[i])
			}
		}
	}
	kept()
	for probes := range 3 {
		if err := dir.Keep(search(probes)); err != nil {
			t.Fatal(err)
		}
		kept(probes)
	}
	if records, bad, err := dir.Read(); err != nil || len(records)+len(bad) != 0 {
		t.Errorf("%d records, %v, %v", len(records), bad, err)
	}
	if err := dir.Tidy(); err != nil {
		t.Fatal(err)
	}
	kept(2)
	for range 2 { // also if it is gone
		if err := dir.Drop(search(2)); err != nil {
			t.Error(err)
		}
		kept()
	}
}

// Of a search that was killed while its probes were written the last ones before are left. What is of no use is left
// out, and Tidy removes it: what was not written to its end, what is damaged, and what has its record beside it.
func TestUnfinishedOfAProcessThatWasKilled(t *testing.T) {
	dir, other := Dir(t.TempDir()), search(1)
	other.Trial = "other"
	for _, r := range []*Record{search(3), other} {
		if err := dir.Keep(r); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(string(dir), search(3).Path())
	folder, name := filepath.Split(path)
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("."+name+unfinishedSuffix+"5577006791947779410", `{"schema_version": 1, "sea`)
	write("damaged-search.json"+unfinishedSuffix, `{"schema_version": 1, "sea`)
	write("empty-search.json"+unfinishedSuffix, "")
	write("notes.unfinished", "of somebody else")
	if all, err := dir.Unfinished(); err != nil || len(all) != 2 {
		t.Fatalf("%d are kept, %v", len(all), err)
	}
	if err := dir.Save(other); err != nil {
		t.Fatal(err)
	}
	if all, err := dir.Unfinished(); err != nil || len(all) != 1 || all[0].Trial != search(3).Trial {
		t.Fatalf("beside its record %d are kept, %v", len(all), err)
	}
	if err := dir.Tidy(); err != nil {
		t.Fatal(err)
	}
	var left []string
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		left = append(left, e.Name())
	}
	if len(left) != 3 {
		t.Errorf("left are %q; want a record, the other search's probes, and a file that is not ours", left)
	}
	if all, err := dir.Unfinished(); err != nil || len(all) != 1 || len(all[0].Search.Probes) != 3 {
		t.Errorf("in the end %d are kept, %v", len(all), err)
	}
}
