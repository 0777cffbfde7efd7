package record

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sync/errgroup"

	"benchbook/internal/files"
	"benchbook/internal/slice"
)

// Dir is the records folder of an article. A run is one file in it, HOST/PROFILE/RUN.jsonl, which only grows: each
// record is a line of JSON, synced before the next repetition begins.
//
// Source: docs/records.md.
type Dir string

const (
	runSuffix = ".jsonl"
	MaxLine   = 16 << 20 // bytes of a record
	maxRun    = 4 << 30  // bytes of a run
)

// Path returns the file of the record's run, relative to the records folder of its article.
func (r *Record) Path() string { return filepath.Join(r.Host, r.Profile, r.Run+runSuffix) }

// Line returns the record as a line of its run, with the line end.
func (r *Record) Line() ([]byte, error) {
	line, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("writing the record of %s: %w", r.Trial, err)
	}
	if len(line) >= MaxLine {
		return nil, fmt.Errorf("writing the record of %s: %w", r.Trial, &files.TooLargeError{Most: MaxLine})
	}
	return append(line, '\n'), nil
}

// Save appends a record to the file of its run. Several processes may do so at once.
func (d Dir) Save(r *Record) error {
	line, err := r.Line()
	if err = cmp.Or(r.checkNames(), err); err == nil {
		err = d.append(r.Path(), line)
	}
	if err != nil {
		return fmt.Errorf("saving a record: %w", err)
	}
	return nil
}

// append appends a line to a file below d and syncs it. If that fails, it leaves nothing of the line.
func (d Dir) append(path string, line []byte) (err error) {
	name := filepath.Join(string(d), path)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_APPEND|syscall.O_NONBLOCK|syscall.O_NOFOLLOW, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := lock(f); err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if err := files.Check(info, maxRun); err != nil {
		return err
	}
	end, line, err := closeLastLine(f, info.Size(), line)
	if err != nil {
		return err
	}
	if _, err = f.Write(line); err == nil {
		err = f.Sync()
	}
	if err != nil {
		return errors.Join(err, f.Truncate(end))
	}
	if info.Size() > 0 {
		return nil
	}
	for folder := filepath.Dir(path); ; folder = filepath.Dir(folder) { // the file is new, and its folders may be too
		if err := syncFolder(filepath.Join(string(d), folder)); err != nil || folder == "." {
			return err
		}
	}
}

// lock keeps other writers out until the file is closed. Some network file systems cannot do that; there, only the
// machine's own lock does.
func lock(f *os.File) error {
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
		switch {
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, errors.ErrUnsupported), errors.Is(err, syscall.ENOLCK):
			return nil
		default:
			return err
		}
	}
}

// closeLastLine prepares a file of size bytes for another line. It removes a torn last line, which a killed process may
// leave; if only the line end is missing, the new line starts with one. It returns the end of the file and the bytes to
// append.
func closeLastLine(f *os.File, size int64, line []byte) (end int64, out []byte, err error) {
	start, err := lastLine(f, size)
	if err != nil || start == size {
		return size, line, err
	}
	if size-start < MaxLine {
		last := make([]byte, size-start)
		if _, err := f.ReadAt(last, start); err != nil {
			return size, line, err
		}
		if json.Valid(last) {
			return size, append([]byte("\n"), line...), nil
		}
	}
	return start, line, f.Truncate(start)
}

// lastLine returns the start of the last line in a file of size bytes; size if the file ends with a line end.
func lastLine(f io.ReaderAt, size int64) (start int64, err error) {
	buffer := make([]byte, 64<<10)
	for start, step := size, int64(1); start > 0; step = int64(len(buffer)) { // the last byte is nearly always a line end
		part := buffer[:min(start, step)]
		start -= int64(len(part))
		if _, err := f.ReadAt(part, start); err != nil {
			return 0, err
		}
		if i := bytes.LastIndexByte(part, '\n'); i >= 0 {
			return start + int64(i) + 1, nil
		}
	}
	return 0, nil
}

// syncFolder makes the names in a folder survive a crash of the machine, if its file system can.
func syncFolder(name string) error {
	folder, err := os.Open(name)
	if err != nil {
		return err
	}
	if err = folder.Sync(); errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		err = nil
	}
	return errors.Join(err, folder.Close())
}

// Bad is a line or a file among the records that cannot be read, or is not a record.
type Bad struct {
	Path string // with the number of a line: RUN.jsonl:3
	Err  error

	host, profile, run string // from the path
	experiment, trial  string // from the line; empty if unknown
}

// IsOf reports whether a line belongs to a trial, and returns the line's run.
func (b Bad) IsOf(host, profile, experiment, trial string) (run string, ok bool) {
	return b.run, b.host == host && b.profile == profile && b.experiment == experiment && b.trial == trial
}

// Read reads all runs below d, in the order of their paths. It skips files that are removed meanwhile.
func (d Dir) Read() (records []*Record, bad []Bad, err error) {
	if folder, err := filepath.EvalSymlinks(string(d)); err == nil { // a walk does not follow links
		d = Dir(folder)
	}
	err = filepath.WalkDir(string(d), func(path string, e fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR) && path == string(d):
			return nil
		case err != nil && isResourceExhaustion(err):
			return err
		case err != nil: // a folder
			bad = append(bad, Bad{Path: path, Err: unreadable(err)})
			return fs.SkipDir
		case path == string(d) || !IsRun(path):
			return nil
		case e.Type().IsRegular():
			more, moreBad, err := d.readRun(path)
			records, bad = append(records, more...), append(bad, moreBad...)
			return err
		}
		bad = append(bad, Bad{Path: path, Err: unreadable(&files.KindError{Mode: e.Type()})})
		if e.IsDir() {
			return fs.SkipDir
		}
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("reading records: %w", err)
	}
	Expand(records)
	return records, bad, nil
}

// IsRun reports whether a file among records is a run, by its name.
func IsRun(path string) bool {
	return strings.HasSuffix(path, runSuffix) && !strings.HasPrefix(filepath.Base(path), ".")
}

func (d Dir) readRun(path string) (records []*Record, bad []Bad, err error) {
	relative, _ := filepath.Rel(string(d), path) // it is below d
	f, err := files.Open(path, maxRun)
	if err == nil {
		defer f.Close() // it was only read
		if records, bad, err = ReadRun(string(d), relative, f); err == nil {
			return records, bad, nil
		}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil, nil
	case isResourceExhaustion(err):
		return nil, nil, err
	}
	return nil, []Bad{{Path: path, Err: unreadable(err)}}, nil
}

// ReadRun reads the records of a run, whose file is at path below the records folder. It drops a torn last line, and
// returns each other bad line.
func ReadRun(folder, path string, in io.Reader) (records []*Record, bad []Bad, err error) {
	type parsedLine struct {
		record *Record
		bad    Bad // if its Err is set
	}
	var found []*parsedLine
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0)) // most of the time goes into parsing
	err = EachLine(in, func(number int, line []byte, ended bool, err error) {
		p := new(parsedLine)
		found = append(found, p)
		group.Go(func() error {
			if err == nil {
				p.record, err = parseLine(path, line)
			}
			if err != nil && ended {
				p.bad = badLine(path, line, err)
				p.bad.Path = filepath.Join(folder, path) + ":" + strconv.Itoa(number)
			}
			return nil
		})
	})
	err = errors.Join(err, group.Wait())
	for _, p := range found {
		if p.record != nil {
			records = append(records, p.record)
		} else if p.bad.Err != nil {
			bad = append(bad, p.bad)
		}
	}
	return records, bad, err
}

// EachLine calls give for each non-empty line, or with an error for a line that is too long for a record. Ended is
// false for a last line without a line end.
func EachLine(in io.Reader, give func(number int, line []byte, ended bool, err error)) error {
	r := bufio.NewReaderSize(in, 64<<10)
	for number := 1; ; number++ {
		var line []byte
		var tooLong error
		part, err := r.ReadSlice('\n')
		for ; ; part, err = r.ReadSlice('\n') {
			if tooLong == nil && len(line)+len(part) > MaxLine {
				line, tooLong = nil, fmt.Errorf("not a record: %w", &files.TooLargeError{Most: MaxLine})
			}
			if tooLong == nil {
				line = append(line, part...)
			}
			if !errors.Is(err, bufio.ErrBufferFull) {
				break
			}
		}
		if line = bytes.TrimSpace(line); len(line) > 0 || tooLong != nil {
			give(number, line, err == nil, tooLong)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// parseLine parses a line of a run, whose file is at path below the records folder.
func parseLine(path string, line []byte) (*Record, error) {
	r, err := Parse(line)
	if err != nil {
		return nil, err
	}
	if r.Path() != filepath.Clean(path) {
		return nil, fmt.Errorf("by its host, profile and run it belongs in %q", filepath.ToSlash(r.Path()))
	}
	return r, nil
}

// badLine returns a bad line, with the names that can still be read in it.
func badLine(path string, line []byte, err error) Bad {
	text := func(key string) (value string) {
		if at := bytes.Index(line, []byte(`"`+key+`":"`)); at >= 0 {
			// The rest of the line may be anything: then value is empty.
			_ = json.NewDecoder(bytes.NewReader(line[at+len(key)+3:])).Decode(&value)
		}
		return value
	}
	folder := filepath.Dir(path)
	return Bad{Err: err, host: filepath.Base(filepath.Dir(folder)), profile: filepath.Base(folder),
		run: strings.TrimSuffix(filepath.Base(path), runSuffix), experiment: text("experiment"), trial: text("trial")}
}

// Unfinished returns the files of runs, below the records folder, in which a trial has too few repetitions: they are
// still being measured, or were stopped.
func Unfinished(records []*Record) map[string]bool {
	type trial struct{ path, experiment, name, key string }
	have, least := map[trial]map[int]bool{}, map[trial]int{}
	for _, r := range records {
		if r.Search != nil {
			continue
		}
		t := trial{r.Path(), r.Experiment, r.Trial, r.Key}
		if have[t] == nil {
			have[t] = map[int]bool{}
		}
		have[t][r.Repetition], least[t] = true, r.Least()
	}
	out := map[string]bool{}
	for t := range have {
		if Gapless(have[t]) < least[t] {
			out[t.path] = true
		}
	}
	return out
}

// Old returns the run files, below the records folder, that are not among the newest of any host, profile and
// experiment.
func Old(records []*Record, newest int) (paths []string) {
	type place struct{ host, profile, experiment string }
	runs := map[place][]string{}
	for _, r := range records {
		p := place{r.Host, r.Profile, r.Experiment}
		runs[p] = slice.Add(runs[p], r.Path())
	}
	var kept []string
	for _, list := range runs {
		slices.Sort(list) // runs are named after their start
		cut := max(0, len(list)-newest)
		paths, kept = append(paths, list[:cut]...), append(kept, list[cut:]...)
	}
	slices.Sort(paths)
	return slices.DeleteFunc(slices.Compact(paths), func(path string) bool { return slices.Contains(kept, path) })
}
