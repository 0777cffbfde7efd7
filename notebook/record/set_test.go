package record

import (
	"os"
	"path/filepath"
	"testing"
)

// Of records that belong together nobody reads some, whatever kills whoever saves them: in the end they are all there,
// or none is.
func TestSetThatIsNotFinished(t *testing.T) {
	dir := Dir(t.TempDir())
	earlier := sample()
	earlier.Repetition = 9
	if err := dir.Save(earlier); err != nil {
		t.Fatal(err)
	}
	var records []*Record
	for k := 1; k <= 3; k++ {
		r := sample()
		r.Repetition = k
		records = append(records, r)
	}
	wantRead := func(when string, want int) {
		t.Helper()
		have, bad, err := dir.Read()
		if err != nil || len(have) != want || len(bad) > 0 {
			t.Errorf("%s: %d records, %d bad, %v; want %d records", when, len(have), len(bad), err, want)
		}
	}
	there := func(r *Record) bool {
		_, err := os.Stat(filepath.Join(string(dir), r.Path()))
		return err == nil
	}

	saving, err := dir.beginSet(records)
	if err != nil {
		t.Fatal(err)
	}
	if err := dir.Save(records[0]); err != nil {
		t.Fatal(err)
	}
	wantRead("one of three has its name", 1)
	if err := dir.Tidy(); err != nil || !there(records[0]) {
		t.Errorf("it is taken back while somebody saves it, %v", err)
	}
	if err := saving.file.Close(); err != nil { // as the end of its process does
		t.Fatal(err)
	}
	wantRead("whoever saved them was killed", 1)
	if err := dir.Tidy(); err != nil || there(records[0]) || !there(earlier) {
		t.Errorf("what there was of it is not taken back, or more than that, %v", err)
	}

	if saving, err = dir.beginSet(records); err != nil {
		t.Fatal(err)
	}
	if err := dir.Save(records[1]); err != nil {
		t.Fatal(err)
	}
	if err := saving.file.Close(); err != nil {
		t.Fatal(err)
	}
	if err := dir.SaveAll(records); err != nil {
		t.Errorf("they cannot be saved again: %v", err)
	}
	wantRead("they were saved again", 4)
	if left, err := filepath.Glob(filepath.Join(string(dir), ".*")); err != nil || len(left) > 0 {
		t.Errorf("%q is left, %v", left, err)
	}
}

// What somebody put there in the place of a set takes nothing away that is not among the records.
func TestSetOfSomebodyElse(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "notes.json")
	dir := Dir(filepath.Join(filepath.Dir(outside), "records"))
	if err := dir.Save(sample()); err != nil {
		t.Fatal(err)
	}
	for path, text := range map[string]string{
		outside: "{}",
		filepath.Join(string(dir), setPrefix+"1"): `["../notes.json", "` + outside + `"]`,
		filepath.Join(string(dir), setPrefix+"2"): "no JSON",
	} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := dir.Tidy(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(outside); err != nil {
		t.Errorf("it removed %v", err)
	}
	if have, _, err := dir.Read(); err != nil || len(have) != 1 {
		t.Errorf("%d records, %v, want 1", len(have), err)
	}
}
