package record

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"benchbook/internal/files"
	"benchbook/internal/slice"
)

// A run that goes on has a file for each record. When it has ended these are packed: a file for the run, with a line
// for each record. One file of many lines makes clones and diffs smaller than many files do.
//
// Source: docs/records.md.
const packSuffix = ".jsonl"

// maxPack bounds a pack that is read, in bytes.
const maxPack = 4 * maxRecord

// PackPath is where a run is packed, below the records folder of its article.
func PackPath(host, profile, run string) string { return filepath.Join(host, profile, run+packSuffix) }

// packedLine is a line of a pack.
type packedLine struct {
	data   []byte
	record *Record // nil for a damaged one
	err    error   // why it is damaged
}

// lines reads the lines of a pack; none if there is no such file.
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
	r, err := Parse(line)
	if err == nil {
		err = belongs(pack, r.Host, r.Profile, r.Run)
	}
	if err != nil {
		return packedLine{data: line, err: err}
	}
	return packedLine{data: line, record: r}
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
	if line.record != nil {
		c.Records = append(c.Records, line.record)
	} else {
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
// process is killed in between, records may be there twice, and are read once.
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
	packed := map[string][]byte{}
	for _, l := range lines {
		if l.record != nil {
			packed[l.record.Path()] = l.data
		}
	}
	slices.SortFunc(list, func(a, b single) int {
		return cmp.Or(a.record.Started.Compare(b.record.Started), cmp.Compare(a.path, b.path))
	})
	kept := slice.Map(lines, func(l packedLine) []byte { return l.data })
	var remove []string
	for _, s := range list {
		data, there := packed[s.path]
		if !there {
			kept = append(kept, s.data)
		}
		if !there || bytes.Equal(data, s.data) {
			remove = append(remove, s.path)
		}
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

// writePack writes a pack, atomically.
func (d Dir) writePack(pack string, lines [][]byte) error {
	return files.Write(filepath.Join(string(d), pack), append(bytes.Join(lines, []byte("\n")), '\n'))
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

// A RunFile is a run that is not among the newest of any experiment that it measured.
type RunFile struct {
	Host, Profile, Run string
	Path               string // below the folder of records
	Bytes              int64
}

// Old lists the packed runs of which none is among the newest of its host, profile and experiment.
func (d Dir) Old(records []*Record, newest int) (old []RunFile, err error) {
	type place struct{ host, profile, experiment string }
	runs := map[place][]string{}
	for _, r := range records {
		p := place{r.Host, r.Profile, r.Experiment}
		if !slices.Contains(runs[p], r.Run) {
			runs[p] = append(runs[p], r.Run)
		}
	}
	keep := map[string]bool{}
	for p, list := range runs {
		slices.Sort(list) // they are named after their start
		for _, run := range list[max(0, len(list)-newest):] {
			keep[PackPath(p.host, p.profile, run)] = true
		}
	}
	listed := map[string]bool{}
	for _, r := range records {
		path := PackPath(r.Host, r.Profile, r.Run)
		if keep[path] || listed[path] {
			continue
		}
		listed[path] = true
		info, err := os.Stat(filepath.Join(string(d), path))
		if errors.Is(err, fs.ErrNotExist) {
			continue // it goes on, or was stopped
		}
		if err != nil {
			return nil, err
		}
		old = append(old, RunFile{r.Host, r.Profile, r.Run, path, info.Size()})
	}
	return old, nil
}

// RemoveRun removes a packed run.
func (d Dir) RemoveRun(f RunFile) error { return os.Remove(filepath.Join(string(d), f.Path)) }

// isPacked reports whether a record of this name is in the pack of its run.
func (d Dir) isPacked(r *Record) (bool, error) {
	lines, err := d.lines(PackPath(r.Host, r.Profile, r.Run))
	return slices.ContainsFunc(lines, func(l packedLine) bool { return l.record != nil && l.record.Path() == r.Path() }),
		err
}
