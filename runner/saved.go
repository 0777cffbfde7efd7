package runner

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"benchbook/notebook/loadtool"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/slice"
)

// Saved is what a load generator printed and somebody saved.
type Saved struct {
	File     string // its name, without the folder
	Modified time.Time
	Printed  []byte
	Program  string // which one it is of, where it is output of several; empty: the one that the trial times
}

// TimedBy leaves of trials those whose commands the saved outputs are of, where these are of several programs each and
// none is named; no trial where they are not. The error names a program that is not timed by just one trial: it would
// be lost unseen.
func TimedBy(trials []*plan.Trial, list []Saved) ([]*plan.Trial, error) {
	timed := map[*plan.Trial]bool{}
	for _, s := range list {
		programs := loadtool.Programs(s.Printed)
		if programs == nil || s.Program != "" {
			return nil, nil
		}
		for _, program := range programs {
			fits := slice.Filter(trials, func(t *plan.Trial) bool { return slices.Contains(commandLines(t), program) })
			const wayOut = "import one program at a time, with --program, as the trial that --as names"
			switch len(fits) {
			case 0:
				return nil, fmt.Errorf("%s: no trial times its program %.60q: %s", s.File, program, wayOut)
			case 1:
				timed[fits[0]] = true
			default:
				return nil, fmt.Errorf("%s: %d trials time its program %.60q: %s", s.File, len(fits), program, wayOut)
			}
		}
	}
	return slice.Filter(trials, func(t *plan.Trial) bool { return timed[t] }), nil
}

// Import makes records of saved outputs, each of one repetition of each trial, without knowing more of them than they
// tell: their host is record.ImportedHost, and no fact is one of this machine. Their key is the trial's, since whoever
// imports them says that they are of these trials as they are now. All have to be of one tool, named by format, or
// found out from each output if that is empty.
//
// The error names the output, if it cannot be read, is of another tool, or contradicts the trial.
func Import(p *plan.Plan, e *plan.Experiment, trials []*plan.Trial, format string, list []Saved) ([]*record.Record,
	error) {
	var out []*record.Record
	for n := range len(list) * len(trials) {
		i, place := n/len(trials), n%len(trials)
		s := list[i]
		rec, err := imported(trials[place], format, s)
		if err == nil && i > 0 && rec.Imported.Tool != out[0].Imported.Tool {
			err = fmt.Errorf("it is output of %s, and %s of %s: import them separately", rec.Imported.Tool, list[0].File,
				out[0].Imported.Tool)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.File, err)
		}
		rec.Article, rec.Experiment, rec.Profile, rec.Plan = p.Article, e.Name, p.Profile, e.Digest
		rec.Repetition, rec.Planned = i+1, len(list)
		rec.Order = record.Order{Round: i + 1, Position: n + 1, Of: len(list) * len(trials)}
		out = append(out, rec)
	}
	if len(out) == 0 {
		return nil, errors.New("there is no output to import")
	}
	earliest := slices.MinFunc(out, func(a, b *record.Record) int { return a.Started.Compare(b.Started) }).Started
	run := newRunID(earliest, "")
	for _, rec := range out {
		rec.Run = run
		rec.Redact(nil, nil)
	}
	return out, nil
}

// imported makes the record of one output; what it shares with others is left empty.
func imported(t *plan.Trial, format string, s Saved) (*record.Record, error) {
	text, err := loadtool.Text(s.Printed)
	if err != nil {
		return nil, err
	}
	tool, ok := loadtool.Find(format)
	if format == "" {
		tool, ok = loadtool.Guess(s.Printed)
	}
	switch {
	case len(bytes.TrimSpace(text)) == 0:
		return nil, errors.New("there is nothing in it: the tool may have printed to the terminal, or failed")
	case !ok && format == "":
		return nil, fmt.Errorf("unknown format: name the tool with --format, one of %s", strings.Join(Formats(), ", "))
	case !ok || !tool.Saved:
		return nil, fmt.Errorf("output of %q cannot be imported: known are %s", format, strings.Join(Formats(), ", "))
	}
	o, err := tool.ParseOne(s.Printed, s.Program, commandLines(t)...)
	if err != nil {
		return nil, err
	}
	rec := &record.Record{SchemaVersion: record.SchemaVersion, Host: record.ImportedHost, Trial: t.Name, Key: t.Key,
		Calibration: t.Calibration, Parameters: t.Parameters, Labels: t.Labels, Definition: slices.Clone(t.Definition),
		Inputs: slices.Clone(t.Inputs), Output: record.KeepOutput(text), Facts: map[string]string{},
		Imported: &record.Imported{Tool: o.Tool, Version: o.Version, File: s.File, Guessed: format == "", Dated: "output"}}
	if tool.Note != "" {
		rec.Facts["tool.note"] = o.Tool + ": " + tool.Note
	}
	switch {
	case o.Commands != nil:
		err = importCommand(rec, o, t)
	default:
		err = importLoad(rec, o, t)
	}
	if err != nil {
		return nil, err
	}
	length := o.Window
	if rec.Command != nil {
		length = time.Duration(rec.Command.Real * float64(time.Second))
	}
	rec.Started, rec.Ended = o.Started.UTC(), o.Started.Add(length).UTC()
	if o.Started.IsZero() { // it was written when it was there
		rec.Started, rec.Ended, rec.Imported.Dated = s.Modified.Add(-length).UTC(), s.Modified.UTC(), "file"
	}
	rec.Parts = map[string]float64{"measure": length.Seconds()}
	if rec.Load != nil {
		rec.Load.WindowStart = rec.Started
	} else {
		rec.Command.Start = rec.Started
	}
	return rec, nil
}

func importLoad(rec *record.Record, o *loadtool.Output, t *plan.Trial) error {
	l := t.Load
	switch {
	case l == nil:
		return fmt.Errorf("it is output of %s about requests, and the experiment times a command", o.Tool)
	case l.Tool != "" && l.Tool != o.Tool:
		return fmt.Errorf("it is output of %s, and the load of trial %q is put on with %s", o.Tool, t.Name, l.Tool)
	case o.Connections > 0 && o.Connections != l.Connections:
		return fmt.Errorf("it was measured with %d connections, but trial %q has %d: choose a trial with %d",
			o.Connections, t.Name, l.Connections, o.Connections)
	}
	rec.Load = o.Load(l)
	rec.Samples, rec.Histograms = o.Samples, o.Histograms
	return nil
}

// commandLines are how the command of a trial is written where somebody else times it.
func commandLines(t *plan.Trial) []string {
	if t.Command == nil || len(t.Command.Run) == 0 {
		return nil
	}
	// which is all of it behind sh -c
	return []string{strings.Join(t.Command.Run, " "), t.Command.Run[len(t.Command.Run)-1]}
}

func importCommand(rec *record.Record, o *loadtool.Output, t *plan.Trial) error {
	if t.Command == nil {
		return fmt.Errorf("it is output of %s about a command, and the experiment puts a load on services", o.Tool)
	}
	rec.Samples = o.Samples
	real, _ := rec.Sample("time.real")
	rec.Command = &record.Command{Real: real.Value, ForeignCPU: -1}
	failed, status := 0, 0
	for _, code := range o.Commands {
		if code != t.Command.ExpectExit {
			failed, status = failed+1, code
		}
	}
	if failed > 0 {
		rec.Failure = fmt.Sprintf("the command ended with status %d, not %d, in %d of %d runs", status,
			t.Command.ExpectExit, failed, len(o.Commands))
	}
	return nil
}

// Formats lists the tools whose saved output can be imported.
func Formats() []string {
	names := loadtool.Names(func(t loadtool.Tool) bool { return t.Saved })
	slices.Sort(names)
	return names
}
