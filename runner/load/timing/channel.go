package timing

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// variable tells "benchbook-agent time" its Settings. The program that it runs does not get it.
const variable = "BENCHBOOK_TIME"

// Settings are what "benchbook-agent time" is told.
type Settings struct {
	// Marker stands before the report in the output of the container, where a program can write as well if it looks for
	// the way. It is drawn anew for every run, so that nothing else is taken for the report.
	Marker   string `json:"marker"`
	Contains string `json:"contains,omitempty"` // as in Options

	KeepStdout bool `json:"keep_stdout,omitempty"` // as in Options
	Warmup     int  `json:"warmup,omitempty"`      // runs of the program before the one that is timed
	// Before and After are programs to run around the one that is timed, with their arguments. Their time does not
	// count.
	Before [][]string `json:"before,omitempty"`
	After  [][]string `json:"after,omitempty"`
}

// Environment is the variable that carries settings, as NAME=value.
func (s Settings) Environment() string {
	data, err := json.Marshal(s)
	if err != nil {
		panic(fmt.Sprintf("timing: %v", err)) // there are only strings and truths in it
	}
	return variable + "=" + string(data)
}

// Find finds settings in an environment.
func Find(environment []string) (Settings, error) {
	for _, v := range environment {
		if data, ok := strings.CutPrefix(v, variable+"="); ok {
			var s Settings
			if err := json.Unmarshal([]byte(data), &s); err != nil {
				return s, fmt.Errorf("reading %s: %w", variable, err)
			}
			return s, nil
		}
	}
	return Settings{}, fmt.Errorf("%s is not set: this program is started by benchbook", variable)
}

// Take finds the settings of this process, and takes them out of its environment.
func Take() (Settings, error) {
	s, err := Find(os.Environ())
	return s, errors.Join(err, os.Unsetenv(variable))
}

// Write writes a report where Read finds it.
func (s Settings) Write(w io.Writer, r Report) error {
	data, err := json.Marshal(r)
	if err != nil {
		return err
	}
	_, err = w.Write(fmt.Appendf(nil, "\n%s %s\n", s.Marker, data))
	return err
}

// Read finds a report in the output of a container, whatever stands around it.
func (s Settings) Read(output []byte) (Report, error) {
	var r Report
	_, data, found := bytes.Cut(output, []byte(s.Marker+" "))
	if !found || s.Marker == "" {
		return r, errors.New("there is no report in its output")
	}
	err := json.NewDecoder(bytes.NewReader(data)).Decode(&r)
	return r, err
}
