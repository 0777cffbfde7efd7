package agent

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"benchbook/runner/engine"
)

// TimerReport is the timer's measurement of one run of a program. It travels as JSON.
//
// Real time is monotonic, from just before the program starts to its end. User and system time cover all its processes
// until then: the program, children that it waited for, and processes that it left behind, ended or not.
type TimerReport struct {
	Exit   int           `json:"exit"` // 128 plus the signal, if a signal ended it
	Start  time.Time     `json:"start"`
	Real   time.Duration `json:"real_ns"`
	User   time.Duration `json:"user_ns"`
	System time.Duration `json:"system_ns"`
	// Reading is the processor time that the timer itself used during the run, to read the program's output.
	Reading time.Duration `json:"reading_ns"`
	// Standstill is the longest time for which the timer was stopped during the run, because its machine, its container
	// or itself was paused; -1 if unknown. It counts from when the timer wanted to wake up, up to 0.1 s later.
	Standstill time.Duration `json:"standstill_ns"`
	// PeakMemory is the largest resident set of any one process in bytes. It is 0 if that is not more than the timer's,
	// which every child starts with.
	PeakMemory int64 `json:"peak_memory"`
	// Metrics are the lines of standard output that may be metrics: JSON objects that contain "metric".
	Metrics    []string `json:"metrics,omitempty"`
	Lost       string   `json:"lost,omitempty"`  // why a metric, or the wanted output, could not be kept
	Stderr     string   `json:"stderr"`          // its last 64 KiB
	Stdout     string   `json:"stdout,omitzero"` // its last mebibyte, if it is to be kept
	StdoutTail string   `json:"said,omitzero"`   // the last 4 KiB of stdout, if Exit is not 0
	Output     string   `json:"output,omitzero"` // the wanted output; Lost says why it is missing
}

// timerVariable is the environment variable with the TimerSettings of "benchbook-agent time". It is removed from the
// program's environment.
const timerVariable = "BENCHBOOK_TIME"

// TimerSettings say how "benchbook-agent time" runs a program.
type TimerSettings struct {
	// Marker comes before the report in the output of the container, which a program can write to as well. It is random,
	// so that nothing else is taken for the report.
	Marker string `json:"marker"`

	KeepStdout bool    `json:"keep_stdout,omitempty"` // keep the last mebibyte of standard output
	Warmup     int     `json:"warmup,omitempty"`      // runs of the program before the one that is timed
	Output     *Output `json:"output,omitempty"`      // what to keep whole, instead of metrics
}

// Output selects what a program measured itself: its standard output, or a File, which may be a folder.
type Output struct {
	File string `json:"file,omitempty"`
	Most int    `json:"most"` // bytes
}

// Environment returns the environment variable that carries settings, as NAME=value.
func (s TimerSettings) Environment() string {
	data, _ := json.Marshal(s) // plain data
	return timerVariable + "=" + string(data)
}

// FindTimerSettings returns the settings from an environment.
func FindTimerSettings(environment []string) (s TimerSettings, err error) {
	_, variables := engine.Variables(environment)
	data, ok := variables[timerVariable]
	if !ok {
		return s, fmt.Errorf("%s is not set: benchbook starts this program", timerVariable)
	}
	if err := json.Unmarshal([]byte(data), &s); err != nil {
		return s, fmt.Errorf("reading %s: %w", timerVariable, err)
	}
	return s, nil
}

// Write writes a report in the form that Read expects.
func (s TimerSettings) Write(w io.Writer, r TimerReport) error {
	data, err := json.Marshal(r)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "\n%s %s\n", s.Marker, data)
	return err
}

// Read finds the report in the output of a container, which may have other text.
func (s TimerSettings) Read(output []byte) (r TimerReport, err error) {
	_, data, found := bytes.Cut(output, []byte(s.Marker+" "))
	if !found || s.Marker == "" {
		return r, errors.New("there is no report in its output")
	}
	err = json.NewDecoder(bytes.NewReader(data)).Decode(&r)
	return r, err
}
