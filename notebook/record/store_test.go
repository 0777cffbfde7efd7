package record

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"benchbook/internal/slowtest"
	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
)

func sample() *Record {
	return &Record{SchemaVersion: SchemaVersion, Article: "a", Experiment: "sockets", Trial: "uvicorn, starlette / x",
		Key: "0123456789abcdef",
		Run: "20261120T091500Z-abcd", Profile: "full", Host: "c2-1f3a9b", Repetition: 3, Planned: 5,
		Started: time.Unix(1e9, 0).UTC(),
		Samples: []Sample{{Metric: "connects", Value: 12, Unit: "1"}}, Definition: []byte("{}")}
}

// repetition returns a record in the run of sample.
func repetition(number int) *Record {
	r := sample()
	r.Repetition = number
	return r
}

// lineOf returns a repetition as a line without its end, with old replaced by new.
func lineOf(t *testing.T, number int, old, new string) string {
	t.Helper()
	line := must.Get(repetition(number).Line())
	text := strings.TrimSuffix(string(line), "\n")
	if !strings.Contains(text, old) {
		t.Fatalf("%q is not in %s", old, text)
	}
	return strings.Replace(text, old, new, 1)
}

func save(dir Dir, records ...*Record) {
	for _, r := range records {
		must.Do(dir.Save(r))
	}
}

// fileOf returns the file of the run of sample.
func (d Dir) fileOf() string { return filepath.Join(string(d), sample().Path()) }

// runOf returns a folder in which the run of sample has the given text.
func runOf(t *testing.T, text string) Dir {
	t.Helper()
	dir := Dir(t.TempDir())
	must.Write(dir.fileOf(), text)
	return dir
}

// repetitionsOf reads the repetitions in a folder, and checks the number of bad lines.
func repetitionsOf(t *testing.T, dir Dir, bad int) (numbers []int) {
	t.Helper()
	records, wrong, err := dir.Read()
	if err != nil || len(wrong) != bad {
		t.Fatalf("%d bad lines, want %d: %v, %v", len(wrong), bad, wrong[:min(len(wrong), 3)], err)
	}
	for _, r := range records {
		numbers = append(numbers, r.Repetition)
	}
	return numbers
}

func TestSaveAndRead(t *testing.T) {
	dir := Dir(filepath.Join(t.TempDir(), "records"))
	if records, bad, err := dir.Read(); err != nil || len(records)+len(bad) != 0 {
		t.Fatalf("a folder that is not there: %v, %v, %v", records, bad, err)
	}
	save(dir, sample())
	must.Get(os.Stat(filepath.Join(string(dir), "c2-1f3a9b", "full", "20261120T091500Z-abcd.jsonl")))
	for _, name := range []string{"notes.txt", ".hidden.jsonl"} {
		must.Write(filepath.Join(string(dir), name), "not a record")
	}
	records, bad, err := dir.Read()
	if err != nil || len(records) != 1 || len(bad) != 0 {
		t.Fatalf("%d records, %v, %v", len(records), bad, err)
	}
	if s, ok := records[0].Sample("connects"); !ok || s.Value != 12 {
		t.Errorf("sample: %v, %v", s, ok)
	}
	_, ok := records[0].Sample("nothing")
	assert.Equal(t, ok, false, "there is a sample of nothing")
	outside := sample()
	outside.Host = "../c2-1f3a9b"
	assert.Error(t, dir.Save(outside), "") // outside of the folder
}

// Whatever a run holds, good lines are read and every other line is named with its reason.
func TestReadLines(t *testing.T) {
	good, other := lineOf(t, 1, "", ""), lineOf(t, 2, "", "")
	edited := func(old, new string) string { return good + "\n" + lineOf(t, 2, old, new) + "\n" }
	value := func(v string) string { return edited(`"value":12`, `"value":`+v) }
	for _, test := range []struct {
		name, text   string
		records, bad int
		err          string // part of the first one
	}{
		{"NaN", value("NaN"), 1, 1, "not a record"},
		{"infinite", value("Infinity"), 1, 1, "not a record"},
		{"beyond all numbers", value("1e999"), 1, 1, "not a record"},
		{"a start in the year 9999", edited(`"2001-`, `"9999-`), 2, 0, ""},
		{"a start in no year", edited(`"2001-`, `"20010-`), 1, 1, "not a record"},
		{"another host", edited(`"c2-1f3a9b"`, `"c2-ffffff"`), 1, 1,
			`by its host, profile and run it belongs in "c2-ffffff/full/20261120T091500Z-abcd.jsonl"`},
		{"another profile", edited(`"full"`, `"quick"`), 1, 1, "it belongs in"},
		{"another run", edited(`"20261120T091500Z-abcd"`, `"20261122T091500Z-abcd"`), 1, 1, "it belongs in"},
		{"torn at the end", good + "\n" + other[:len(other)/2], 1, 0, ""},
		{"torn in the middle", other[:len(other)/2] + "\n" + good, 1, 1, "ends too early"},
		{"without the last line end", good + "\n" + other, 2, 0, ""},
		{"two in a line", good + other + "\n", 0, 1, "not a record"},
		{"half of one and another in a line", other[:len(other)/2] + good + "\n", 0, 1, "not a record"},
		{"a line twice", good + "\n" + good, 2, 0, ""},
		{"zeros", good + "\n" + strings.Repeat("\x00", 4096) + "\n", 1, 1, "not a record"},
		{"line ends of Windows", good + "\r\n" + other + "\r\n", 2, 0, ""},
		{"a merge conflict", "<<<<<<< HEAD\n" + good + "\n=======\n" + other + "\n>>>>>>> theirs\n", 2, 3, "not a record"},
		{"text that is not UTF-8", edited(`"connects"`, "\"\xff\xfe\""), 1, 1, "invalid metric"},
		{"nested a million times", good + "\n" + strings.Repeat("[", 1_000_000) + "\n", 1, 1, "not a record"},
		{"a key twice", edited(`"repetition":2`, `"repetition":9,"repetition":2`), 2, 0, ""},
		{"200,000 bad lines", good + strings.Repeat("\nx", 200_000) + "\n", 1, 200_000, "not a record"},
	} {
		t.Run(test.name, func(t *testing.T) {
			records, bad, err := runOf(t, test.text).Read()
			if err != nil || len(records) != test.records || len(bad) != test.bad {
				t.Fatalf("%d records, %d bad, %v; want %d and %d", len(records), len(bad), err, test.records, test.bad)
			}
			if test.bad > 0 && !strings.Contains(bad[0].Err.Error(), test.err) {
				t.Errorf("got %v, want %q", bad[0].Err, test.err)
			}
		})
	}
}

// A line of 1 GB is named, and takes little memory.
func TestLongLine(t *testing.T) {
	slowtest.SkipSequential(t)
	good := lineOf(t, 1, "", "")
	dir := runOf(t, good+"\n")
	f := must.Get(os.OpenFile(dir.fileOf(), os.O_RDWR, 0))
	const end = 1 << 30
	_, err := f.WriteAt([]byte("\n"+good+"\n"), end) // with a hole before it
	must.Do(errors.Join(err, f.Close()))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	records, bad, err := dir.Read()
	runtime.ReadMemStats(&after)
	if err != nil || len(records) != 2 || len(bad) != 1 || bad[0].Path != dir.fileOf()+":2" ||
		bad[0].Err.Error() != "not a record: it is larger than 16 MiB" {
		t.Errorf("%d records, %v, %v", len(records), bad, err)
	}
	if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 256<<20 {
		t.Errorf("it took %d MiB", allocated>>20)
	}
	must.Do(os.Truncate(dir.fileOf(), end))
	save(dir, repetition(2))
	assert.Slice(t, repetitionsOf(t, dir, 0), []int{1, 2}, "read repetitions")
}

// A record follows the whole lines of a run. The torn line of a killed process is removed.
func TestSaveAfter(t *testing.T) {
	one, two := lineOf(t, 1, "", "")+"\n", lineOf(t, 2, "", "")
	for _, test := range []struct {
		name, text string
		keeps      int // bytes of the text
		bad        int
		want       []int // repetitions
	}{
		{"nothing", "", 0, 0, []int{9}},
		{"lines", one + two + "\n", len(one + two + "\n"), 0, []int{1, 2, 9}},
		{"a torn line", one + two[:len(two)/2], len(one), 0, []int{1, 9}},
		{"a torn line alone", two[:len(two)/2], 0, 0, []int{9}},
		{"a torn line that is long", one + strings.Repeat("x", 200<<10), len(one), 0, []int{1, 9}},
		{"zeros of a machine that crashed", one + strings.Repeat("\x00", 100), len(one), 0, []int{1, 9}},
		{"a line without its end", one + two, len(one + two), 0, []int{1, 2, 9}},
		{"a bad line", one + "x\n", len(one + "x\n"), 1, []int{1, 9}},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := runOf(t, test.text)
			save(dir, repetition(9))
			assert.Slice(t, repetitionsOf(t, dir, test.bad), test.want, "read repetitions")
			data := must.Get(os.ReadFile(dir.fileOf()))
			assert.Equal(t, bytes.HasPrefix(data, []byte(test.text[:test.keeps])), true, "the lines are unchanged")
		})
	}
}

// A bad line names its cell, and stays when its repetition is measured again.
func TestBadLineOfACell(t *testing.T) {
	bad := lineOf(t, 2, "", "")
	dir := runOf(t, lineOf(t, 1, "", "")+"\n"+bad[:len(bad)/2]+"\n")
	save(dir, repetition(2))
	records, wrong, err := dir.Read()
	if err != nil || len(records) != 2 || len(wrong) != 1 || wrong[0].Path != dir.fileOf()+":2" {
		t.Fatalf("%d records, %v, %v", len(records), wrong, err)
	}
	own := sample()
	if run, ok := wrong[0].IsOf(own.Host, own.Profile, own.Experiment, own.Trial); !ok || run != own.Run {
		t.Errorf("it is of run %q, %v", run, ok)
	}
	_, ok := wrong[0].IsOf(own.Host, own.Profile, own.Experiment, "another")
	assert.Equal(t, ok, false, "it is of another trial too")
}

// Lines of several writers do not mix.
func TestTwoWriters(t *testing.T) {
	dir := Dir(t.TempDir())
	var group sync.WaitGroup
	for writer := range 2 {
		group.Go(func() {
			for i := range 20 {
				must.Do(dir.Save(repetition(1 + 20*writer + i)))
			}
		})
	}
	group.Wait()
	got := repetitionsOf(t, dir, 0)
	if slices.Sort(got); len(got) != 40 || len(slices.Compact(got)) != 40 {
		t.Errorf("read repetitions %v", got)
	}
}

// A run that is removed by another process during the read is skipped, without an error.
func TestReadWhileRunsAreRemoved(t *testing.T) {
	dir := Dir(t.TempDir())
	save(dir, sample())
	stop, stopped := make(chan struct{}), make(chan error)
	go func() {
		for {
			select {
			case <-stop:
				stopped <- nil
				return
			default:
			}
			var err error
			for i := range 50 {
				r := sample()
				r.Host, r.Run = "c2-aaaaaa", fmt.Sprintf("20261121T091500Z-%04d", i)
				err = errors.Join(err, dir.Save(r))
			}
			if err = errors.Join(err, os.RemoveAll(filepath.Join(string(dir), "c2-aaaaaa"))); err != nil {
				<-stop
				stopped <- err
				return
			}
		}
	}()
	for range 100 {
		if records, bad, err := dir.Read(); err != nil || len(records) == 0 || len(bad) > 0 {
			t.Errorf("%d records, %v, %v", len(records), bad, err)
			break
		}
	}
	close(stop)
	must.Do(<-stopped)
}

// A run is unfinished if a trial in it has fewer repetitions than it needs, and old if it is not among the newest of
// any experiment.
func TestUnfinishedAndOld(t *testing.T) {
	of := func(run, experiment string, repetitions ...int) (out []*Record) {
		for _, n := range repetitions {
			r := repetition(n)
			r.Run, r.Experiment, r.Planned, r.Looks = run, experiment, 4, []int{2, 4}
			out = append(out, r)
		}
		return out
	}
	search := sample()
	search.Run, search.Repetition, search.Search = "4", 0, &Search{Kind: SearchTune}
	records := slices.Concat(of("1", "one", 1, 2), of("2", "one", 2, 1, 3), of("2", "two", 1), of("3", "one", 1, 3),
		of("4", "one", 1, 2), []*Record{search})
	path := func(run string) string { return filepath.Join("c2-1f3a9b", "full", run+".jsonl") }
	assert.Map(t, Unfinished(records), map[string]bool{path("2"): true, path("3"): true}, "unfinished")
	assert.Slice(t, Old(records, 2), []string{path("1")}, "old")
}

// Files among records that are not runs are left out.
func TestFilesThatAreNoRuns(t *testing.T) {
	dir := Dir(t.TempDir())
	save(dir, sample())
	folder := filepath.Join(string(dir), "x")
	must.Do(errors.Join(os.MkdirAll(filepath.Join(folder, "folder.jsonl"), 0o755),
		os.Symlink("/dev/zero", filepath.Join(folder, "link.jsonl")),
		os.WriteFile(filepath.Join(folder, "large.jsonl"), nil, 0o644),
		os.Truncate(filepath.Join(folder, "large.jsonl"), 1<<40)))
	assert.Equal(t, len(repetitionsOf(t, dir, 3)), 1, "repetitions")
	if records, _, err := Dir(dir.fileOf()).Read(); err != nil || len(records) > 0 {
		t.Errorf("a file as the folder: %d records, %v", len(records), err)
	}
	if err := Dir(dir.fileOf()).Save(sample()); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("saving below a file: %v", err)
	}
}

// The records folder may be a link to another disk.
func TestReadThroughALink(t *testing.T) {
	folder, link := t.TempDir(), filepath.Join(t.TempDir(), "records")
	must.Do(os.Symlink(folder, link))
	must.Do(Dir(link).Save(sample()))
	records, bad := must.Two(Dir(link).Read())
	if len(records) != 1 || len(bad) != 0 {
		t.Errorf("%d records, and bad are %v", len(records), bad)
	}
}
