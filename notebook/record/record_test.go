package record

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"
)

func sample() *Record {
	return &Record{SchemaVersion: SchemaVersion, Article: "a", Experiment: "sockets", Trial: "uvicorn, starlette / x",
		Key: "0123456789abcdef",
		Run: "20261120T091500Z-abcd", Profile: "full", Host: "c2-1f3a9b", Repetition: 3, Planned: 5,
		Started: time.Unix(1e9, 0).UTC(),
		Samples: []Sample{{Metric: "connects", Value: 12, Unit: "1"}}, Definition: []byte("{}")}
}

func TestSaveAndRead(t *testing.T) {
	dir := Dir(filepath.Join(t.TempDir(), "records"))
	if records, bad, err := dir.Read(); err != nil || len(records)+len(bad) != 0 {
		t.Fatalf("a folder that is not there: %v, %v, %v", records, bad, err)
	}
	if err := dir.Save(sample()); err != nil {
		t.Fatal(err)
	}
	want := filepath.Join(string(dir), "c2-1f3a9b", "full", "sockets",
		"uvicorn-starlette-x-01234567-20261120T091500Z-abcd-r03.json")
	if _, err := os.Stat(want); err != nil {
		t.Error(err)
	}
	if err := dir.Save(sample()); err == nil || !strings.Contains(err.Error(), "exists already") {
		t.Errorf("a record was overwritten: %v", err)
	}
	records, bad, err := dir.Read()
	if err != nil || len(records) != 1 || len(bad) != 0 {
		t.Fatalf("%d records, %v, %v", len(records), bad, err)
	}
	if s, ok := records[0].Sample("connects"); !ok || s.Value != 12 {
		t.Errorf("sample: %v, %v", s, ok)
	}
	if _, ok := records[0].Sample("nothing"); ok {
		t.Error("a sample that is not there")
	}
}

// One bad file must not hide the rest.
func TestBadFiles(t *testing.T) {
	dir := Dir(t.TempDir())
	if err := dir.Save(sample()); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string]string{
		"broken.json": "{", "empty.json": "", "later.json": `{"schema_version": 99}`, "other.json": `{"schema_version": 1}`,
		"notes.txt": "no record and no problem", ".half-written.json": "{",
	} {
		if err := os.WriteFile(filepath.Join(string(dir), name), []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(string(dir), "pipe.json"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/dev/zero", filepath.Join(string(dir), "link.json")); err != nil {
		t.Fatal(err)
	}
	// Files of runs are read as a whole.
	for _, name := range []string{"sparse.json", "sparse.jsonl"} {
		path := filepath.Join(string(dir), name)
		if err := errors.Join(os.WriteFile(path, nil, 0o644), os.Truncate(path, 1<<40)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(string(dir), "pipe.jsonl"), 0o644); err != nil {
		t.Fatal(err)
	}
	records, bad, err := dir.Read()
	if err != nil || len(records) != 1 || len(bad) != 9 {
		t.Errorf("%d records, %d bad, %v", len(records), len(bad), err)
	}
}

// A damaged record is replaced by that of the repetition that is measured again.
func TestSaveInThePlaceOfADamagedRecord(t *testing.T) {
	for name, damage := range map[string]string{"cut short": `{"schema_version": 1, "art`, "emptied": "",
		"zeros": strings.Repeat("\x00", 4096)} {
		dir, r := Dir(t.TempDir()), sample()
		if err := dir.Save(r); err != nil {
			t.Fatal(err)
		}
		if err := dir.Save(r); err == nil {
			t.Errorf("%s: a record was saved twice", name)
		}
		path := filepath.Join(string(dir), r.Path())
		if err := os.WriteFile(path, []byte(damage), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := dir.Save(r); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		records, bad, err := dir.Read()
		if err != nil || len(records) != 1 || len(bad) != 0 {
			t.Errorf("%s: %d records, %d bad, %v", name, len(records), len(bad), err)
		}
	}
}

// A record that gc removes in another terminal while all are read is not there, and no reason to give up.
func TestReadBesideRemoving(t *testing.T) {
	dir := Dir(t.TempDir())
	if err := dir.Save(sample()); err != nil {
		t.Fatal(err)
	}
	data, err := sample().Bytes()
	if err != nil {
		t.Fatal(err)
	}
	stop, stopped := make(chan struct{}), make(chan error)
	go func() {
		folder := filepath.Join(string(dir), "other")
		for {
			select {
			case <-stop:
				stopped <- nil
				return
			default:
			}
			err := os.MkdirAll(folder, 0o755)
			for i := range 50 {
				err = errors.Join(err, os.WriteFile(filepath.Join(folder, fmt.Sprintf("%d.json", i)), data, 0o644))
			}
			if err = errors.Join(err, os.RemoveAll(folder)); err != nil {
				<-stop
				stopped <- err
				return
			}
		}
	}()
	for range 200 {
		records, _, err := dir.Read() // those that are just being written are no records yet
		if err != nil || len(records) == 0 {
			t.Errorf("%d records, %v", len(records), err)
			break
		}
	}
	close(stop)
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

// What a process left that was killed while it saved is removed, and nothing else.
func TestTidy(t *testing.T) {
	dir, r := Dir(t.TempDir()), sample()
	if err := dir.Tidy(); err != nil {
		t.Errorf("of an empty folder: %v", err)
	}
	if err := Dir(filepath.Join(string(dir), "missing")).Tidy(); err != nil {
		t.Errorf("of a folder that is not there: %v", err)
	}
	if err := dir.Save(r); err != nil {
		t.Fatal(err)
	}
	folder, name := filepath.Split(filepath.Join(string(dir), r.Path()))
	for _, file := range []string{"." + name + "5577006791947779410", ".writable-123", ".hidden.json", "notes.json1"} {
		if err := os.WriteFile(filepath.Join(folder, file), []byte("{"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := dir.Tidy(); err != nil {
		t.Fatal(err)
	}
	left, err := filepath.Glob(filepath.Join(folder, "*")) // the names that begin with a dot too
	if err != nil || len(left) != 3 {
		t.Errorf("left are %q, %v; want the record and two files that are not ours", left, err)
	}
}

func TestSlug(t *testing.T) {
	for in, want := range map[string]string{
		"sync": "sync", "uvicorn, starlette": "uvicorn-starlette", "../../etc": "etc", "größe=1": "größe=1", "": "x",
		"///":                    "x",
		strings.Repeat("a", 100): strings.Repeat("a", 60),
	} {
		if got := Slug(in); got != want {
			t.Errorf("Slug(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestLookupMetric(t *testing.T) {
	tests := []struct{ name, unit, better string }{
		{"throughput", "1/s", "higher"}, {"latency.p99", "s", "lower"}, {"latency.p99.9", "s", "lower"},
		{"latency.connect.p50", "s", "lower"},
		{"cpu.server", "cores", "lower"}, {"errors.reset", "1", "lower"}, {"status.200", "1", ""},
		{"memory.peak", "B", "lower"},
		{"memory.db", "B", "lower"}, {"net.listen_overflows.server", "1", "lower"},
	}
	for _, test := range tests {
		if m, ok := LookupMetric(test.name); !ok || m.Unit != test.unit || m.Better != test.better || m.Name != test.name ||
			m.Title == "" {
			t.Errorf("%s: %+v, %v", test.name, m, ok)
		}
	}
	for _, name := range []string{"", "latency", "latency.p0", "latency.p00", "latency.p100", "latency.p99.", "cpu.",
		"cpu.a.b", "troughput", "server"} {
		if m, ok := LookupMetric(name); ok {
			t.Errorf("%q is taken for %+v", name, m)
		}
	}
}

func FuzzParse(f *testing.F) {
	data, err := sample().Bytes()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"schema_version":1,"repetition":-1}`))
	f.Add([]byte(`{"schema_version":1,"experiment":"e","trial":"t","key":"k","run":"r","search":{"name":"../x"}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if r, err := Parse(data); err == nil && (r.Key == "" || (r.Repetition < 1) != (r.Search != nil) ||
			strings.Contains(filepath.Base(r.Path()), "/")) {
			t.Errorf("taken for a record: %+v", r)
		}
	})
}

// Output is kept whole where it is not too long, and says what is missing where it is.
func TestOutput(t *testing.T) {
	if got := KeepOutput([]byte("Requests per second: 1\n")); got != "Requests per second: 1\n" {
		t.Errorf("%q", got)
	}
	long := strings.Repeat("é", MaxOutput)
	got := KeepOutput([]byte("begin" + long + "end"))
	if len(got) > MaxOutput+100 || !utf8.ValidString(got) || !strings.HasPrefix(got, "begin") ||
		!strings.HasSuffix(got, "end") ||
		!strings.Contains(got, fmt.Sprintf("\n[benchbook left out %d bytes here]\n", 8+2*MaxOutput-MaxOutput)) {
		t.Errorf("%d bytes: %.80q … %q", len(got), got, got[len(got)-20:])
	}
}

// A clock that is set back does not end a repetition before it started.
func TestEndOfARepetition(t *testing.T) {
	started := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name      string
		now, want time.Time
	}{
		{"a clock that runs", started.Add(5 * time.Second), started.Add(5 * time.Second)},
		{"a clock that was set back", started.Add(-time.Hour), started.Add(5 * time.Second)},
		{"a clock that was set forwards", started.Add(time.Hour), started.Add(time.Hour)},
	} {
		r := Record{Started: started}
		if r.End(tt.now, 5*time.Second); !r.Ended.Equal(tt.want) {
			t.Errorf("%s: it ended at %v, want %v", tt.name, r.Ended, tt.want)
		}
	}
}
