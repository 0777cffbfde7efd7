package record

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// saveEach saves records, each in a file of its own.
func saveEach(t *testing.T, dir Dir, records ...*Record) {
	t.Helper()
	for _, r := range records {
		if err := dir.Save(r); err != nil {
			t.Fatal(err)
		}
	}
}

// repetitions are records of one run, by their numbers.
func repetitions(numbers ...int) (out []*Record) {
	for _, n := range numbers {
		r := sample()
		r.Repetition = n
		out = append(out, r)
	}
	return out
}

func load(t *testing.T, dir Dir) Contents {
	t.Helper()
	c, err := dir.Load()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// filesIn are the names of files below a folder.
func filesIn(t *testing.T, dir Dir) (out []string) {
	t.Helper()
	err := filepath.WalkDir(string(dir), func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			out = append(out, filepath.Base(path))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Records read the same, whether they are packed or not; packing more of the run adds lines, and changes none.
func TestPack(t *testing.T) {
	dir := Dir(t.TempDir())
	list := repetitions(1, 2, 3)
	saveEach(t, dir, list...)
	before := load(t, dir)
	own := list[0]
	pack := func() []byte {
		t.Helper()
		if err := dir.Pack(own.Host, own.Profile, own.Run); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(filepath.Join(string(dir), PackPath(own.Host, own.Profile, own.Run)))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	first := pack()
	if got := filesIn(t, dir); len(got) != 1 || got[0] != own.Run+".jsonl" {
		t.Errorf("there are %q", got)
	}
	if after := load(t, dir); !reflect.DeepEqual(after, before) || len(after.Records) != 3 {
		t.Errorf("%d records are read otherwise than before", len(after.Records))
	}
	if err := dir.Save(repetitions(2)[0]); err == nil || !strings.Contains(err.Error(), "exists already") {
		t.Errorf("one that is packed is saved again: %v", err)
	}
	saveEach(t, dir, repetitions(4)...)
	if again := pack(); !bytes.HasPrefix(again, first) || bytes.Count(again, []byte("\n")) != 4 {
		t.Error("lines that were there were changed")
	}
	if got := load(t, dir).Records; len(got) != 4 {
		t.Errorf("then %d records are read", len(got))
	}
}

// Whoever packs may be killed before files are removed: records are read once. One that differs is named.
func TestPackedTwice(t *testing.T) {
	dir := Dir(t.TempDir())
	list := repetitions(1, 2)
	saveEach(t, dir, list...)
	path := filepath.Join(string(dir), list[0].Path())
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := dir.Pack(list[0].Host, list[0].Profile, list[0].Run); err != nil {
		t.Fatal(err)
	}
	put := func(data []byte) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put(data)
	if c := load(t, dir); len(c.Records) != 2 || len(c.Bad) != 0 {
		t.Errorf("alike: %d records, %v", len(c.Records), c.Bad)
	}
	put(bytes.Replace(data, []byte(`"repetition": 1`), []byte(`"repetition": 1, "failure": "x"`), 1))
	if c := load(t, dir); len(c.Records) != 2 || len(c.Bad) != 1 ||
		!strings.Contains(c.Bad[0].Err.Error(), "another record of this name is in "+list[0].Run+".jsonl") {
		t.Errorf("different: %d records, %v", len(c.Records), c.Bad)
	}
	put(data)
	if err := dir.Pack(list[0].Host, list[0].Profile, list[0].Run); err != nil || len(filesIn(t, dir)) != 1 {
		t.Errorf("packed again: %v, %q", err, filesIn(t, dir))
	}
}

// A damaged line costs its record and nothing else, and belongs to its cell. It stays when it was measured again.
func TestDamagedLine(t *testing.T) {
	dir := Dir(t.TempDir())
	list := repetitions(1, 2, 3)
	saveEach(t, dir, list...)
	if err := dir.Pack(list[0].Host, list[0].Profile, list[0].Run); err != nil {
		t.Fatal(err)
	}
	own := list[0]
	path := filepath.Join(string(dir), PackPath(own.Host, own.Profile, own.Run))
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(data), "\n")
	lines[1] = lines[1][:len(lines[1])/2]
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")), 0o644); err != nil {
		t.Fatal(err)
	}
	c := load(t, dir)
	if len(c.Records) != 2 || len(c.Bad) != 1 || c.Bad[0].Path != path+":2" {
		t.Fatalf("%d records, %v", len(c.Records), c.Bad)
	}
	if run, ok := c.Bad[0].IsOf(own.Host, own.Profile, own.Experiment, own.Trial); !ok || run != own.Run {
		t.Errorf("it is of run %q, %v", run, ok)
	}
	saveEach(t, dir, repetitions(2)...)
	if err := dir.Pack(own.Host, own.Profile, own.Run); err != nil {
		t.Fatal(err)
	}
	if c := load(t, dir); len(c.Records) != 3 || len(c.Bad) != 1 {
		t.Errorf("then %d records, %v", len(c.Records), c.Bad)
	}
}

// A line that belongs to another run, host or profile is none.
func TestLineOfAnotherRun(t *testing.T) {
	dir := Dir(t.TempDir())
	list := repetitions(1)
	saveEach(t, dir, list...)
	if err := dir.Pack(list[0].Host, list[0].Profile, list[0].Run); err != nil {
		t.Fatal(err)
	}
	from := filepath.Join(string(dir), PackPath(list[0].Host, list[0].Profile, list[0].Run))
	if err := os.Rename(from, filepath.Join(filepath.Dir(from), "20261122T000000Z-abcd.jsonl")); err != nil {
		t.Fatal(err)
	}
	if c := load(t, dir); len(c.Records) != 0 || len(c.Bad) != 1 ||
		!strings.Contains(c.Bad[0].Err.Error(), "by its host, profile and run it belongs in") {
		t.Errorf("%d records, %v", len(c.Records), c.Bad)
	}
}

// A run is old if it is not among the newest of any experiment that it measured.
func TestOld(t *testing.T) {
	dir := Dir(t.TempDir())
	for i, run := range []string{"20261101T000000Z-aaaa", "20261102T000000Z-bbbb", "20261103T000000Z-cccc",
		"20261104T000000Z-dddd"} {
		r := repetitions(1)[0]
		r.Run = run
		other := *r
		other.Experiment = "other"
		list := []*Record{r}
		if i == 1 {
			list = append(list, &other) // the only run of the other experiment
		}
		saveEach(t, dir, list...)
		if err := dir.Pack(r.Host, r.Profile, r.Run); err != nil {
			t.Fatal(err)
		}
	}
	old, err := dir.Old(load(t, dir).Records, 2)
	if err != nil || len(old) != 1 || old[0].Run != "20261101T000000Z-aaaa" || old[0].Bytes < 100 {
		t.Fatalf("old are %+v, %v", old, err)
	}
	if err := dir.RemoveRun(old[0]); err != nil {
		t.Fatal(err)
	}
	if got := load(t, dir).Records; len(got) != 4 {
		t.Errorf("%d records are left", len(got))
	}
}

// A pack that was half written when its writer was killed is taken away.
func TestHalfWrittenPack(t *testing.T) {
	dir := Dir(t.TempDir())
	list := repetitions(1)
	saveEach(t, dir, list...)
	half := filepath.Join(string(dir), filepath.Dir(PackPath(list[0].Host, list[0].Profile, list[0].Run)),
		"."+list[0].Run+".jsonl123456")
	if err := os.WriteFile(half, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if c := load(t, dir); len(c.Records) != 1 || len(c.Bad) > 0 {
		t.Errorf("beside it %d records, %v", len(c.Records), c.Bad)
	}
	err := dir.Tidy()
	if _, left := os.Lstat(half); err != nil || left == nil {
		t.Errorf("it is still there, %v", err)
	}
}
