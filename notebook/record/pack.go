package record

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"benchbook/files"
	"benchbook/slice"
)

// A run that goes on has a file for each record. When it has ended these are packed: a file for the run, with a line
// for each record. One file of many lines makes clones and diffs smaller than many files do.
//
// Source: docs/records.md.
const packSuffix = ".jsonl"

// SignatureSuffix follows the name of a pack in that of its signature.
const SignatureSuffix = ".sig"

// maxPack bounds a pack that is read, in bytes.
const maxPack = 4 * maxRecord

// removedLine begins the line of a record that was removed, and left its seal to those that follow.
const removedLine = `{"removed":true,`

// Removed is a record that was removed from a run of which others stay.
type Removed struct {
	Removed    bool   `json:"removed"` // true
	Host       string `json:"host"`
	Profile    string `json:"profile"`
	Run        string `json:"run"`
	Experiment string `json:"experiment"`
	Trial      string `json:"trial"`
	Repetition int    `json:"repetition"`
	Seal       Seal   `json:"seal"`
}

// PackPath is where a run is packed, below the records folder of its article.
func PackPath(host, profile, run string) string { return filepath.Join(host, profile, run+packSuffix) }

// A packed line is a record, or what is left of one.
type packedLine struct {
	data    []byte
	record  *Record  // nil for one that was removed or is damaged
	removed *Removed // nil for others
	err     error    // why it is damaged
}

// lines are those of a pack, without records that cannot be read; none if there is no such file.
func (d Dir) lines(pack string) ([]packedLine, error) {
	data, _, err := files.Read(filepath.Join(string(d), pack), maxPack)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return slice.Map(splitLines(data), func(line []byte) packedLine { return parseLine(pack, line) }), nil
}

func splitLines(data []byte) (out [][]byte) {
	for line := range bytes.SplitSeq(data, []byte("\n")) {
		if line = bytes.TrimSpace(line); len(line) > 0 {
			out = append(out, line)
		}
	}
	return out
}

// parseLine reads a line of a pack, which is named by its path below the folder of records.
func parseLine(pack string, line []byte) packedLine {
	out := packedLine{data: line}
	if bytes.HasPrefix(line, []byte(removedLine)) {
		var r Removed
		if err := json.Unmarshal(line, &r); err != nil {
			out.err = fmt.Errorf("not a record: %w", InvalidJSON(err))
			return out
		}
		if out.err = belongs(pack, r.Host, r.Profile, r.Run); out.err == nil {
			out.removed = &r
		}
		return out
	}
	r, err := Parse(line)
	if err == nil {
		err = belongs(pack, r.Host, r.Profile, r.Run)
	}
	if out.err = err; err == nil {
		out.record = r
	}
	return out
}

// belongs says of a line of a pack that it is of another one.
func belongs(pack, host, profile, run string) error {
	if own := PackPath(host, profile, run); own != filepath.Clean(pack) {
		return fmt.Errorf("by its host, profile and run it belongs in %q", filepath.ToSlash(own))
	}
	return nil
}

// IsPack reports whether a file among records is a run that was packed, by its name.
func IsPack(path string) bool { return IsFile(path) && strings.HasSuffix(path, packSuffix) }

// IsFile reports whether a file among records holds some, by its name.
func IsFile(path string) bool {
	isRecord := strings.HasSuffix(path, ".json") || strings.HasSuffix(path, packSuffix)
	return isRecord && !strings.HasPrefix(filepath.Base(path), ".")
}

// ParseFile reads the records in such a file, as of another revision of a repository.
func ParseFile(path string, data []byte) (c Contents) {
	if strings.HasSuffix(path, packSuffix) {
		for i, line := range splitLines(data) {
			c.add(path, i+1, parseLine(path, line))
		}
		return c
	}
	if r, err := Parse(data); err == nil {
		c.Records = append(c.Records, r)
	} else {
		c.Bad = append(c.Bad, Bad{Path: path, Err: err})
	}
	return c
}

func (c *Contents) add(pack string, number int, line packedLine) {
	switch {
	case line.record != nil:
		c.Records = append(c.Records, line.record)
	case line.removed != nil:
		c.Removed = append(c.Removed, *line.removed)
	default:
		c.Bad = append(c.Bad, badLine(pack, number, line))
	}
}

// badLine is a line of a pack that is no record. Whose it would be the line may still tell.
func badLine(pack string, number int, line packedLine) Bad {
	is := func(key string) string {
		at := bytes.Index(line.data, []byte(`"`+key+`":"`))
		if at < 0 {
			return ""
		}
		d := json.NewDecoder(bytes.NewReader(line.data[at+len(key)+3:]))
		text, _ := d.Token()
		value, _ := text.(string)
		return value
	}
	of := Record{Experiment: is("experiment"), Trial: is("trial"), Key: is("key"), Repetition: 1}
	of.Host, of.Profile = filepath.Split(filepath.Dir(pack))
	of.Host, of.Run = filepath.Base(of.Host), strings.TrimSuffix(filepath.Base(pack), packSuffix)
	return Bad{Path: pack + ":" + strconv.Itoa(number), Err: line.err, at: of.Path()}
}

// single is a record in a file of its own.
type single struct {
	path   string // below the folder of records
	record *Record
	data   []byte // without white space
}

// singles are the records of a run that have a file of their own where they belong.
func (d Dir) singles(host, profile, run string) (out []single, err error) {
	err = d.eachSingle(host, profile, run, func(path string) error {
		data, _, err := files.Read(filepath.Join(string(d), path), maxRecord)
		if err != nil {
			return ignoreUnlessMachine(err)
		}
		r, err := parseAt(path, data)
		if err != nil || r.Run != run || r.Path() != path {
			return nil // it stays where it is, and whoever reads is told
		}
		var compact bytes.Buffer
		if err := json.Compact(&compact, data); err != nil {
			return err
		}
		out = append(out, single{path, r, compact.Bytes()})
		return nil
	})
	return out, err
}

func ignoreUnlessMachine(err error) error {
	if ofMachine(err) {
		return err
	}
	return nil
}

// eachSingle calls f with the files that are named as records of a run are, by their paths below the folder of records.
func (d Dir) eachSingle(host, profile, run string, f func(path string) error) error {
	experiments, err := os.ReadDir(filepath.Join(string(d), host, profile))
	if err != nil {
		return ignoreUnlessMachine(err)
	}
	for _, e := range experiments {
		if !e.IsDir() {
			continue
		}
		names, err := os.ReadDir(filepath.Join(string(d), host, profile, e.Name()))
		if err != nil {
			return ignoreUnlessMachine(err)
		}
		for _, n := range names {
			isRecord := n.Type().IsRegular() && strings.HasSuffix(n.Name(), ".json") && !strings.HasPrefix(n.Name(), ".")
			if !isRecord || !strings.Contains(n.Name(), "-"+run+"-") {
				continue
			}
			if err := f(filepath.Join(host, profile, e.Name(), n.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// Pack puts the records of a run into one file. What is there already stays as it is, and new lines follow. If this
// process is killed in between, records may be there twice, alike, and are read once.
func (d Dir) Pack(host, profile, run string) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("packing run %s: %w", run, err)
		}
	}()
	pack := PackPath(host, profile, run)
	lines, err := d.lines(pack)
	if err != nil {
		return err
	}
	list, err := d.singles(host, profile, run)
	if err != nil || len(list) == 0 {
		return err
	}
	there := map[string][]byte{}
	var damaged [][]byte
	var kept [][]byte
	for _, l := range lines {
		if l.err != nil {
			damaged = append(damaged, l.data)
			continue
		}
		kept = append(kept, l.data)
		if l.record != nil {
			there[l.record.Path()] = l.data
		}
	}
	slices.SortFunc(list, func(a, b single) int {
		return cmp.Or(cmp.Compare(a.record.number(), b.record.number()), a.record.Started.Compare(b.record.Started),
			cmp.Compare(a.path, b.path))
	})
	var remove []string
	for _, s := range list {
		switch data, ok := there[s.path]; {
		case !ok:
			kept = append(kept, s.data)
			remove = append(remove, s.path)
		case bytes.Equal(data, s.data):
			remove = append(remove, s.path)
		}
	}
	kept = append(kept, chainOf(kept).stubs(host, profile, run, len(damaged))...)
	if err := d.putAside(pack, damaged); err != nil {
		return err
	}
	if err := d.writePack(pack, kept); err != nil {
		return err
	}
	for _, path := range remove {
		if err := d.removeFile(path); err != nil {
			return err
		}
	}
	return nil
}

// number is that of the seal of a record; 0 without one.
func (r *Record) number() int {
	if r.Seal == nil {
		return 0
	}
	return r.Seal.Number
}

// writePack writes a pack, atomically.
func (d Dir) writePack(pack string, lines [][]byte) error {
	return files.Write(filepath.Join(string(d), pack), append(bytes.Join(lines, []byte("\n")), '\n'))
}

// putAside keeps damaged lines of a pack beside it.
func (d Dir) putAside(pack string, lines [][]byte) error {
	if len(lines) == 0 {
		return nil
	}
	file, err := os.OpenFile(filepath.Join(string(d), pack)+".damaged", os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = file.Write(append(bytes.Join(lines, []byte("\n")), '\n'))
	return errors.Join(err, file.Close())
}

// removeFile removes a record with a file of its own, and its folder if that was the last one.
func (d Dir) removeFile(path string) error {
	full := filepath.Join(string(d), path)
	if err := os.Remove(full); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	_ = os.Remove(filepath.Dir(full)) // unless something is left in it
	return nil
}

// Remove removes records, as far as they lie where they belong, and says how many bytes each had. Those that stay of
// their runs keep the seals of those that go. A dry run removes nothing.
func (d Dir) Remove(records []*Record, dryRun bool) (sizes map[*Record]int64, err error) {
	type run struct{ host, profile, name string }
	var runs []run
	byRun := map[run][]*Record{}
	for _, r := range records {
		of := run{r.Host, r.Profile, r.Run}
		if byRun[of] == nil {
			runs = append(runs, of)
		}
		byRun[of] = append(byRun[of], r)
	}
	sizes = map[*Record]int64{}
	for _, of := range runs {
		if err := d.removeOf(of.host, of.profile, of.name, byRun[of], dryRun, sizes); err != nil {
			return sizes, fmt.Errorf("removing records of run %s: %w", of.name, err)
		}
	}
	return sizes, nil
}

func (d Dir) removeOf(host, profile, run string, records []*Record, dryRun bool, sizes map[*Record]int64) error {
	pack := PackPath(host, profile, run)
	lines, err := d.lines(pack)
	if err != nil {
		return err
	}
	list, err := d.singles(host, profile, run)
	if err != nil {
		return err
	}
	going := map[string]*Record{}
	for _, r := range records {
		going[r.Path()] = r
	}
	left := 0 // records of the run that stay
	var kept, stubs [][]byte
	leave := func(own, r *Record) { // nothing of it but its seal
		if r.Seal != nil {
			data, _ := json.Marshal(Removed{true, r.Host, r.Profile, r.Run, r.Experiment, r.Trial, r.Repetition, *r.Seal})
			stubs = append(stubs, data)
		}
	}
	for _, l := range lines {
		if l.record == nil || going[l.record.Path()] == nil {
			left += boolean(l.removed == nil)
			kept = append(kept, l.data)
			continue
		}
		own := going[l.record.Path()]
		sizes[own] = int64(len(l.data)) + 1
		leave(own, l.record)
	}
	var files []string
	for _, s := range list {
		own := going[s.path]
		if own == nil {
			left++
			continue
		}
		info, err := os.Lstat(filepath.Join(string(d), s.path))
		if err != nil {
			return err
		}
		sizes[own] = info.Size()
		files = append(files, s.path)
		leave(own, s.record)
	}
	if dryRun {
		return nil
	}
	if err := d.shrink(pack, kept, stubs, left, len(lines)); err != nil {
		return err
	}
	for _, path := range files {
		if err := d.removeFile(path); err != nil {
			return err
		}
	}
	return nil
}

// shrink writes a pack from which records were taken, or removes it if nothing of its run is left.
func (d Dir) shrink(pack string, kept, stubs [][]byte, left, before int) error {
	if left == 0 {
		for _, path := range []string{pack, pack + SignatureSuffix} {
			if err := os.Remove(filepath.Join(string(d), path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
		return nil
	}
	if len(kept)+len(stubs) == 0 || len(stubs) == 0 && len(kept) == before {
		return nil // there is no pack, or nothing of it goes
	}
	return d.writePack(pack, slices.Concat(kept, stubs))
}

func boolean(b bool) int {
	if b {
		return 1
	}
	return 0
}

// A chain is the seals of a run, by their numbers: those of damaged records too, as far as they can be read.
type chain map[int]Seal

func chainOf(lines [][]byte) chain {
	c := chain{}
	for _, line := range lines {
		c.note(line)
	}
	return c
}

// note adds the seal at the end of a record, if there is one.
func (c chain) note(data []byte) {
	if seal := sealAt(data); seal != nil {
		c[seal.Number] = *seal
	}
}

// sealAt is the seal at the end of a record; nil if it cannot be read.
func sealAt(data []byte) *Seal {
	var r struct{ Seal *Seal }
	if at := bytes.LastIndex(data, []byte(`"seal"`)); at >= 0 {
		_ = json.Unmarshal(append([]byte("{"), bytes.TrimSpace(data[at:])...), &r) // else it is none
	}
	return r.Seal
}

// last is the seal of the record that was saved last; nil if none has one.
func (c chain) last() *Seal {
	if len(c) == 0 {
		return nil
	}
	last := c[slices.Max(slices.Collect(maps.Keys(c)))]
	return &last
}

// stubs leave the seals of records that are missing to those that follow them, which have their digests: of at most n
// records, which are damaged and put aside.
func (c chain) stubs(host, profile, run string, n int) (out [][]byte) {
	for _, number := range slices.Sorted(maps.Keys(c)) {
		if _, there := c[number-1]; !there && number > 1 && len(out) < n {
			data, _ := json.Marshal(Removed{Removed: true, Host: host, Profile: profile, Run: run,
				Seal: Seal{Number: number - 1, Digest: c[number].Before}})
			out = append(out, data)
		}
	}
	return out
}

// chain reads the seals of a run.
func (d Dir) chain(host, profile, run string) (chain, error) {
	data, _, err := files.Read(filepath.Join(string(d), PackPath(host, profile, run)), maxPack)
	if err != nil && ofMachine(err) {
		return nil, err
	}
	c := chainOf(splitLines(data))
	return c, d.eachSingle(host, profile, run, func(path string) error {
		end, err := endOf(filepath.Join(string(d), path))
		c.note(end)
		return err
	})
}

// endOf is the end of a file, with the seal of a record.
func endOf(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, ignoreUnlessMachine(err)
	}
	defer file.Close() // it was only read
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	end := make([]byte, min(info.Size(), 512))
	_, err = file.ReadAt(end, info.Size()-int64(len(end)))
	return end, err
}

// isPacked reports whether a record of this name is in the pack of its run.
func (d Dir) isPacked(r *Record) (bool, error) {
	lines, err := d.lines(PackPath(r.Host, r.Profile, r.Run))
	return slices.ContainsFunc(lines, func(l packedLine) bool { return l.record != nil && l.record.Path() == r.Path() }),
		err
}
