package integrity_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"benchbook/notebook/integrity"
	"benchbook/notebook/record"
	"benchbook/slowtest"
)

// sealed gives records the seals that they would have if they had been saved now.
func sealed(t *testing.T, records []*record.Record) []*record.Record {
	t.Helper()
	dir := record.Dir(t.TempDir())
	slices.SortStableFunc(records, func(a, b *record.Record) int { return a.Started.Compare(b.Started) })
	for _, r := range records {
		if err := dir.Save(copyOf(t, r)); err != nil {
			t.Fatal(err)
		}
	}
	out, bad, err := dir.Read()
	if err != nil || len(bad) > 0 {
		t.Fatal(bad, err)
	}
	slices.SortFunc(out, func(a, b *record.Record) int { return a.Seal.Number - b.Seal.Number })
	return out
}

// numbered is the record with a number in the chain.
func (f *forgery) numbered(n int) *saved {
	for _, s := range f.files {
		if s.Seal != nil && s.Seal.Number == n {
			return s
		}
	}
	f.t.Fatalf("no record is number %d", n)
	return nil
}

func (f *forgery) remove(numbers ...int) {
	f.files = slices.DeleteFunc(f.files, func(s *saved) bool { return slices.Contains(numbers, s.Seal.Number) })
}

// sealedAnew seals a record as one that follows on another, as somebody may who knows how.
func sealedAnew(t *testing.T, r, before *record.Record) *record.Record {
	t.Helper()
	dir := record.Dir(t.TempDir())
	if before != nil {
		if err := dir.Save(copyOf(t, before)); err != nil {
			t.Fatal(err)
		}
	}
	own := copyOf(t, r)
	if err := dir.Save(own); err != nil {
		t.Fatal(err)
	}
	return own
}

// sealFakes are those that only seals tell of, as the numbers agree.
var sealFakes = []struct {
	name   string
	forge  func(*forgery)
	reason string // a part of what is wrong with the chain
}{
	{"memory lowered", func(f *forgery) {
		sample("memory.server", func(x float64) float64 { return x / 2 })(f.files[3].Record)
	}, "it was edited after it was saved"},
	{"CPU time lowered", func(f *forgery) {
		sample("cpu.server", func(x float64) float64 { return x * 0.9 })(f.files[3].Record)
	}, "it was edited after it was saved"},
	{"a busy machine made idle", func(f *forgery) { f.files[3].Before.Foreign = 0 }, "it was edited after it was saved"},
	{"foreign CPU lowered", func(f *forgery) { f.files[3].Load.ForeignCPU = 0.001 }, "it was edited after it was saved"},
	{"a stall of the generator hidden", func(f *forgery) {
		f.files[3].Load.Health = &record.Health{Standstill: 0.001, Waiting: 0}
	}, "it was edited after it was saved"},
	{"a fact edited", func(f *forgery) { f.files[3].Facts["host.kernel"] = "9.9.9" }, "it was edited after it was saved"},
	{"retransmissions hidden", func(f *forgery) {
		sample("net.retransmits.server", func(float64) float64 { return 7 })(f.files[3].Record)
	}, "it was edited after it was saved"},
	{"the end moved by half a second", func(f *forgery) {
		f.numbered(20).Ended = f.numbered(20).Ended.Add(500 * time.Millisecond)
	}, "it was edited after it was saved"},
	{"a repetition removed", func(f *forgery) { f.remove(7) }, "number 7, is missing"},
	{"the first repetition removed", func(f *forgery) { f.remove(1) }, "number 1, is missing"},
	{"several repetitions removed", func(f *forgery) { f.remove(3, 4, 5) }, "number 5, is missing"},
	{"a seal removed", func(f *forgery) { f.files[3].Seal = nil }, "it has no seal"},
	{"the numbers of two exchanged", func(f *forgery) {
		a, b := f.numbered(5), f.numbered(6)
		a.Seal, b.Seal = b.Seal, a.Seal
	}, "it was edited after it was saved"},
	{"a number twice", func(f *forgery) { f.numbered(5).Seal.Number = 6 }, "it has the same number in its run"},
	{"edited and sealed anew", func(f *forgery) {
		s := f.numbered(5)
		sample("memory.server", func(x float64) float64 { return x / 2 })(s.Record)
		s.Record = sealedAnew(f.t, s.Record, f.numbered(4).Record)
		s.Seal.Number = 5
	}, "was edited after it was saved"},
	{"the last edited and sealed behind nothing", func(f *forgery) {
		s := f.numbered(20)
		sample("memory.server", func(x float64) float64 { return x / 2 })(s.Record)
		s.Record = sealedAnew(f.t, s.Record, nil)
	}, "it has the same number in its run"},
	{"a repetition measured later under its name", func(f *forgery) {
		s := f.numbered(5)
		other := copyOf(f.t, s.Record)
		sample("memory.server", func(x float64) float64 { return x / 2 })(other)
		chain := sealed(f.t, []*record.Record{f.numbered(1).Record, f.numbered(2).Record, f.numbered(3).Record,
			f.numbered(4).Record, other})
		s.Record = chain[4]
	}, "was sealed behind another record"},
}

// Whatever was done to records that were sealed is seen, also if all numbers agree.
func TestSealsAreBroken(t *testing.T) {
	chain := sealed(t, recordsOf(t, steady))
	load := func(t *testing.T, forge func(*forgery), reason string) {
		t.Helper()
		forged := &forgery{t: t}
		for _, r := range chain {
			forged.add(copyOf(t, r))
		}
		forge(forged)
		dir := t.TempDir()
		forged.save(dir)
		c, chains, err := integrity.Read(record.Dir(dir))
		if err != nil || len(chains) == 0 {
			t.Fatal(err, chains)
		}
		problems := slices.Clone(chains[0].Problems)
		for _, b := range c.Bad {
			problems = append(problems, b.Err.Error())
		}
		if reason == "" && len(problems)+len(chains[0].Unfinished) > 0 {
			t.Errorf("it is said of what nobody has touched: %q, %q", problems, chains[0].Unfinished)
		}
		if !slices.ContainsFunc(problems, func(p string) bool { return strings.Contains(p, reason) }) && reason != "" {
			t.Errorf("there is no %q among %q", reason, problems)
		}
	}
	load(t, func(*forgery) {}, "")
	for _, f := range sealFakes {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			load(t, f.forge, f.reason)
		})
	}
}

// A clock that is set back while a run goes on, and what was measured after it.
func TestClockThatWasSetBack(t *testing.T) {
	for _, tt := range []struct {
		name  string
		back  time.Duration
		after int // repetitions before it was set
		want  int // warnings
	}{
		{"a little", 3 * time.Second, 10, 1},
		{"by an hour", time.Hour, 10, 11}, // from the tenth on, they begin before the run too
		{"not at all", 0, 10, 0},
	} {
		list := recordsOf(t, steady)
		slices.SortFunc(list, func(a, b *record.Record) int { return a.Started.Compare(b.Started) })
		dir := record.Dir(t.TempDir())
		for i, r := range list {
			r = copyOf(t, r)
			if i >= tt.after {
				shift(-tt.back)(r)
			}
			if err := dir.Save(r); err != nil {
				t.Fatal(err)
			}
		}
		c, chains, err := integrity.Read(dir)
		if err != nil || len(chains) != 1 || len(chains[0].Problems) > 0 {
			t.Fatal(chains, err)
		}
		found := foundIn(c.Records, c.Bad)
		if len(found[isInvalid]) > 0 || len(found[isWarning]) != tt.want {
			t.Errorf("%s: invalid %q, warnings %q, want %d of these", tt.name, found[isInvalid], found[isWarning], tt.want)
		}
		for _, words := range found[isWarning] {
			if !strings.Contains(words, "the clock was set back") {
				t.Errorf("%s: %s", tt.name, words)
			}
		}
	}
}

// A repetition during which the clock was set has times of two clocks.
func TestClockThatWasSetMeanwhile(t *testing.T) {
	list := recordsOf(t, steady)
	slices.SortFunc(list, func(a, b *record.Record) int { return a.Started.Compare(b.Started) })
	list[3].Facts[record.FactLeftOut] = "the clock was set by -3s meanwhile"
	list[3].Ended = list[4].Started.Add(3 * time.Second)
	integrity.Check(list, time.Now())
	if found := foundIn(list, nil); len(found[isInvalid]) > 0 {
		t.Errorf("%q", found[isInvalid])
	}
}

// What is missing at the end of a run no seal tells; the plan does.
func TestShortenedRun(t *testing.T) {
	dir := record.Dir(t.TempDir())
	for _, r := range sealed(t, recordsOf(t, steady))[:18] {
		if err := dir.Save(r); err != nil {
			t.Fatal(err)
		}
	}
	_, chains, err := integrity.Read(dir)
	if err != nil || len(chains) != 1 || len(chains[0].Problems) > 0 || chains[0].Sealed != 18 ||
		!slices.Equal(chains[0].Unfinished, []string{"2 repetitions of steady are not there"}) {
		t.Errorf("%+v, %v", chains, err)
	}
}

// Of what gc has removed the seals stay, so the chain is whole.
func TestChainAfterRemoving(t *testing.T) {
	dir := record.Dir(t.TempDir())
	list := sealed(t, recordsOf(t, steady))
	for _, r := range list {
		if err := dir.Save(r); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := dir.Remove(list[2:9], false); err != nil {
		t.Fatal(err)
	}
	c, chains, err := integrity.Read(dir)
	if err != nil || len(chains) != 1 || len(chains[0].Problems) > 0 || chains[0].Removed != 7 || len(c.Bad) > 0 {
		t.Errorf("%+v, %v, %v", chains, c.Bad, err)
	}
	if err := os.RemoveAll(filepath.Join(string(dir), record.PackPath(list[0].Host, list[0].Profile,
		list[0].Run))); err != nil {
		t.Fatal(err)
	}
	if _, chains, err = integrity.Read(dir); err != nil || len(chains[0].Problems) == 0 {
		t.Errorf("without what gc has left: %+v, %v", chains, err)
	}
}

// A gc that was killed has left the seal of a record that is still there.
func TestChainAfterAKilledRemoval(t *testing.T) {
	dir := record.Dir(t.TempDir())
	list := sealed(t, recordsOf(t, steady))
	for _, r := range list {
		if err := dir.Save(r); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(string(dir), list[4].Path())
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	remove := func(want int) {
		t.Helper()
		_, chains, err := integrity.Read(dir)
		if err != nil || len(chains[0].Problems) > 0 || chains[0].Removed != want {
			t.Errorf("%+v, %v, want %d that were removed", chains, err, want)
		}
		if _, err := dir.Remove(list[2:6], false); err != nil {
			t.Fatal(err)
		}
	}
	remove(0)
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	remove(3) // another gc
	remove(4)
}

// A damaged record that was measured again leaves its number to those that follow, so the chain is whole.
func TestChainAfterDamage(t *testing.T) {
	slowtest.Skip(t)
	for _, tt := range []struct {
		name   string
		number int
		damage func([]byte) []byte
	}{
		{"cut short", 3, func(data []byte) []byte { return data[:len(data)/2] }},
		{"the first", 1, func(data []byte) []byte { return data[:len(data)/2] }},
		{"the last", 20, func(data []byte) []byte { return data[:len(data)/2] }},
		{"damaged before its seal", 3, func(data []byte) []byte { return data[3:] }},
		{"the last, before its seal", 20, func(data []byte) []byte { return data[3:] }},
	} {
		for _, packed := range []bool{false, true} {
			dir := record.Dir(t.TempDir())
			list := sealed(t, recordsOf(t, steady))
			for _, r := range list {
				if err := dir.Save(r); err != nil {
					t.Fatal(err)
				}
			}
			own := list[tt.number-1]
			path := filepath.Join(string(dir), own.Path())
			pack := func() {
				if err := dir.Pack(own.Host, own.Profile, own.Run); err != nil {
					t.Fatal(err)
				}
			}
			if packed {
				pack()
				path = filepath.Join(string(dir), record.PackPath(own.Host, own.Profile, own.Run))
			}
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			lines := bytes.SplitAfter(data, []byte("\n"))
			if packed {
				line := bytes.TrimSpace(lines[tt.number-1])
				lines[tt.number-1] = append(tt.damage(line), '\n')
				data = bytes.Join(lines, nil)
			} else {
				data = tt.damage(data)
			}
			if err := os.WriteFile(path, data, 0o644); err != nil {
				t.Fatal(err)
			}
			if err := dir.Save(copyOf(t, own)); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				c, chains, err := integrity.Read(dir)
				if err != nil || len(c.Records) != 20 || len(chains) != 1 || !packed && len(chains[0].Problems) > 0 {
					t.Fatalf("%s, packed %v: %+v, %v, %v", tt.name, packed, chains, c.Bad, err)
				}
				pack()
				packed = false
			}
		}
	}
}

// Records of a version that plans looks have seals, so they were removed from those that have none.
func TestAllSealsRemoved(t *testing.T) {
	list := recordsOf(t, steady)
	for _, tt := range []struct {
		looks []int
		want  int
	}{{nil, 0}, {[]int{3, 5}, len(list)}} {
		for _, r := range list {
			r.Looks, r.Seal, r.Doubts = tt.looks, nil, nil
		}
		if chains := integrity.CheckSeals(list, nil); len(chains) != 1 || len(chains[0].Problems) != tt.want {
			t.Errorf("looks %v: %+v, want %d problems", tt.looks, chains, tt.want)
		}
	}
}

// Nothing tells how many looks a run has had: see docs/records.md#seals.
func TestRunShortenedAfterItsFirstLook(t *testing.T) {
	list := recordsOf(t, steady)
	for _, r := range list {
		r.Planned, r.Looks = 20, []int{3, 5, 10, 20}
	}
	list = slices.DeleteFunc(sealed(t, list), func(r *record.Record) bool { return r.Order.Round > 3 })
	if chains := integrity.CheckSeals(list, nil); len(chains[0].Unfinished)+len(chains[0].Problems) > 0 {
		t.Errorf("%+v", chains)
	}
}
