package agent

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"benchbook/internal/files"
)

// Limits of what is kept of a program's output, in bytes.
const (
	maxLine    = 64 << 10 // of a metric
	maxMetrics = 1 << 20  // of all metrics
	maxStderr  = 64 << 10
	maxStdout  = 1 << 20
	maxSaid    = 4 << 10 // of standard output, to be shown next to a failure
)

// scanner finds lines that may be metrics.
type scanner struct {
	line    []byte // so far, without leading white space, and at most maxLine+1 bytes long
	metrics []string
	size    int // of metrics
	lost    string
}

func (s *scanner) Write(p []byte) (n int, err error) {
	n = len(p)
	for len(p) > 0 {
		if len(s.line) == 0 { // skip lines without a brace, so that a program that prints many does not wait for us
			brace := bytes.IndexByte(p, '{')
			if brace < 0 {
				brace = len(p)
			}
			p = p[bytes.LastIndexByte(p[:brace], '\n')+1:]
		}
		part, rest, ended := bytes.Cut(p, []byte("\n"))
		if len(s.line) == 0 {
			part = bytes.TrimLeft(part, " \t\r")
		}
		s.line = append(s.line, part[:min(len(part), maxLine+1-len(s.line))]...)
		if p = rest; ended {
			s.endLine()
		}
	}
	return n, nil
}

// endLine keeps the line if it may be a metric. Call it once more for a last line without an end.
func (s *scanner) endLine() {
	switch {
	case !bytes.HasPrefix(s.line, []byte("{")) || !bytes.Contains(s.line, []byte(`"metric"`)):
	case len(s.line) > maxLine:
		s.lost = fmt.Sprintf("a line of more than %d KiB that begins like a metric", maxLine>>10)
	case s.size+len(s.line) > maxMetrics:
		s.lost = fmt.Sprintf("more than %d MiB of metrics", maxMetrics>>20)
	default:
		s.size += len(s.line)
		s.metrics = append(s.metrics, string(s.line))
	}
	s.line = s.line[:0]
}

// output keeps what a program measured itself, if that is wanted.
type output struct {
	wanted *Output // nil: nothing
	kept   []byte
	over   bool // there was more than wanted.Most
}

func (o *output) Write(p []byte) (int, error) {
	if o.wanted != nil && o.wanted.File == "" {
		o.add(p)
	}
	return len(p), nil
}

func (o *output) add(p []byte) {
	o.over = o.over || len(o.kept)+len(p) > o.wanted.Most
	if !o.over {
		o.kept = append(o.kept, p...)
	}
}

// clockStep is how far the time of a file may lie before the moment of its writing.
const clockStep = 20 * time.Millisecond

// end returns the output of a run that began at began, or why it is missing.
func (o *output) end(began time.Time) (kept, lost string) {
	err := error(nil)
	if o.wanted.File != "" {
		err = o.read(o.wanted.File, began)
	}
	switch {
	case o.over || errors.Is(err, files.ErrTooLarge):
		return "", fmt.Sprintf("more than %d MiB of results", o.wanted.Most>>20)
	case err != nil:
		return "", fmt.Sprintf("no results in %s: %s", o.wanted.File, files.Reason(err))
	}
	return string(o.kept), ""
}

// read adds a file written since the run began or, of a folder, all result files of criterion written since.
func (o *output) read(file string, began time.Time) error {
	isResult := func(name string) bool {
		folder, base := filepath.Base(filepath.Dir(name)), filepath.Base(name)
		return name == file || folder == "new" && (base == "benchmark.json" || base == "estimates.json")
	}
	found := false
	err := filepath.WalkDir(file, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !isResult(name) || o.over {
			return err
		}
		data, info, err := files.Read(name, int64(o.wanted.Most))
		if err == nil && !info.ModTime().Before(began.Add(-clockStep)) {
			o.add(append(data, '\n'))
			found = true
		}
		return err
	})
	if err == nil && !found {
		return errors.New("this run has not written it")
	}
	return err
}
