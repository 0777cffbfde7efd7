package http

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"benchbook/notebook/journey"
)

// maxSteps bounds the steps of a journey.
const maxSteps = 100

// Step is what the load does with one of its Targets, where clients go through them in turn.
type Step struct {
	Name string `json:"name"`

	// Think is the pause of the client behind the step, or behind its failure.
	Think time.Duration `json:"think_ns,omitempty"`

	// Verify says what a right answer to the step is, in the place of that of the config; nil means that.
	Verify *Verify `json:"verify,omitempty"`

	// Extract has, by names, where values are found in a right answer: json:PATH, header:NAME or regex:PATTERN. Later
	// steps have them as ${{ steps.NAME }}. An answer without one of them is a failure.
	Extract map[string]string `json:"extract,omitempty"`
}

// Data are rows of values in CSV, one for each journey, whose columns steps have as ${{ data.NAME }}.
type Data struct {
	CSV []byte `json:"csv"`

	// Random has each journey draw its row, instead of taking the next one. Several generators, and the threads of each,
	// take rows in turn, so that none of them takes the row of another.
	Random bool `json:"random,omitempty"`
}

// Extraction is where a value is found in an answer.
type Extraction = journey.Extraction

// Rows reads the data of a config; nil without any.
func (c *Config) Rows() ([][][]byte, error) {
	if c.Data == nil {
		return nil, nil
	}
	d, err := journey.ParseData(c.Data.CSV)
	if err != nil {
		return nil, fmt.Errorf("data: %w", err)
	}
	return d.Rows, nil
}

// Variables are the names that steps may use, in the order of their values: first the columns of the data. They are nil
// without steps. The config's data must be valid.
func (c *Config) Variables() []string {
	if len(c.Steps) == 0 {
		return nil
	}
	names := []string{}
	if c.Data != nil {
		if d, err := journey.ParseData(c.Data.CSV); err == nil {
			for _, column := range d.Columns {
				names = append(names, "data."+column)
			}
		}
	}
	for _, s := range c.Steps {
		for _, name := range slices.Sorted(maps.Keys(s.Extract)) {
			if name = "steps." + name; !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// ThinkAfter is the pause of a client behind a request for a target.
func (c *Config) ThinkAfter(target int32) time.Duration {
	if len(c.Steps) == 0 {
		return c.Think
	}
	return c.Steps[target].Think
}

// VerifyOf says what a right answer to a target is.
func (c *Config) VerifyOf(target int) *Verify {
	if len(c.Steps) > 0 && c.Steps[target].Verify != nil {
		return c.Steps[target].Verify
	}
	return c.Verify
}

func (c *Config) validateSteps() error {
	switch {
	case len(c.Steps) == 0 && c.Data != nil:
		return errors.New("data is set without steps, which would use it")
	case len(c.Steps) == 0:
		return nil
	case len(c.Steps) != len(c.Targets):
		return fmt.Errorf("there are %d steps and %d targets; every step is one target", len(c.Steps), len(c.Targets))
	case len(c.Steps) > maxSteps:
		return fmt.Errorf("there are %d steps; use at most %d", len(c.Steps), maxSteps)
	}
	if _, err := c.Rows(); err != nil {
		return err
	}
	seen := make(map[string]bool)
	for i := range c.Steps {
		s := &c.Steps[i]
		if s.Name == "" || seen[s.Name] {
			return fmt.Errorf("step %d has no name of its own", i+1)
		}
		seen[s.Name] = true
		if s.Think < 0 || s.Think > maxTime {
			return fmt.Errorf("step %q: think is %v; it must lie between 0 and %v", s.Name, s.Think, maxTime)
		}
		if err := s.Verify.validate(); err != nil {
			return fmt.Errorf("step %q: %w", s.Name, err)
		}
		for name, from := range s.Extract {
			if _, err := journey.ParseExtraction(from); err != nil {
				return fmt.Errorf("step %q: extract: %s: %w", s.Name, name, err)
			}
		}
	}
	return nil
}

// Extractions are those of a step, by the places of their values in Variables. The config must be valid.
func (c *Config) Extractions(step int, variables []string) map[int]Extraction {
	out := make(map[int]Extraction)
	for name, from := range c.Steps[step].Extract {
		if e, err := journey.ParseExtraction(from); err == nil {
			out[slices.Index(variables, "steps."+name)] = e
		}
	}
	return out
}

// Journeys is what became of the journeys of a load with steps: those that were begun in the window, unless a field
// says otherwise, each followed to its last step, its first failure, or until it was cut.
type Journeys struct {
	// Attempted = Right + Failed: in a right one all steps got a right answer, and a failed one ended with the first that
	// did not. Those that were under way when clients were to send no more are cut, and neither.
	Attempted int64 `json:"attempted"`
	Right     int64 `json:"right"`
	Failed    int64 `json:"failed"`

	// Completed are the right ones that ended in the window, whenever they began.
	Completed int64 `json:"completed"`

	// Time is from the start of the first request of a right one to the last byte of its last answer, with the pauses
	// between; Cut is how long those that were cut had been under way.
	Time Distribution `json:"time"`
	Cut  Distribution `json:"cut"`

	// Steps are in the order of the config.
	Steps []StepResult `json:"steps"`
}

// StepResult is what became of the requests of a step, as Result has it for all.
type StepResult struct {
	Attempted int64          `json:"attempted"`
	Failures  map[Kind]int64 `json:"failures"` // kinds without any are left out
	Latency   Distribution   `json:"latency"`
}

// NewJourneys is one without any journey.
func NewJourneys(steps int) *Journeys {
	j := &Journeys{Steps: make([]StepResult, steps)}
	for i := range j.Steps {
		j.Steps[i].Failures = make(map[Kind]int64)
	}
	return j
}

// Add adds what can be counted of others with the same steps.
func (j *Journeys) Add(from *Journeys) {
	j.Attempted += from.Attempted
	j.Right += from.Right
	j.Failed += from.Failed
	j.Completed += from.Completed
	for i := range j.Steps {
		j.Steps[i].Attempted += from.Steps[i].Attempted
		for kind, n := range from.Steps[i].Failures {
			j.Steps[i].Failures[kind] += n
		}
	}
}

// distributions adds those of journeys to a map by name.
func (j *Journeys) distributions(to map[string]*Distribution) {
	if j == nil {
		return
	}
	to[JourneyTime], to[JourneyCut] = &j.Time, &j.Cut
	for i := range j.Steps {
		to[StepTime(i)] = &j.Steps[i].Latency
	}
}

// What the distributions of journeys are called in Result.Distributions.
const (
	JourneyTime = "journey"
	JourneyCut  = "journey cut"
)

// StepTime is that of the latency of a step.
func StepTime(step int) string { return fmt.Sprintf("step %d", step+1) }
