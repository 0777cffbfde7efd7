package runner

import (
	"time"

	"benchbook/notebook/record"
)

// A Part is one of the things that a run spends its time on.
type Part int

// The parts of a run's time. They do not overlap.
const (
	Measuring Part = iota // windows of repetitions, and the times of commands
	Warmup
	Settling // looking at the machine before repetitions, and waiting for it to come to rest
	Starting // services, until they are ready, and beside them a load that stands by
	// around a load or a command: starting its container if it does not stand by, checking answers, waiting for late
	// ones, ending it
	Loading
	Hooks     // prepare and conclude
	Stopping  // services
	Failing   // repetitions that failed, all that they took
	Saving    // records, and looking through those that are there
	Searching // searches, all that their probes took
	Sharing   // shared services: starting and stopping them, setup and cleanup
	Preparing // images, and whatever else precedes the first repetition of an experiment
	Other

	parts // how many they are
)

// Name is the part's name in data, as in Record.Parts where it is a part of a repetition.
func (p Part) Name() string {
	return [parts]string{"measure", "warmup", "settle", "start", "load", "hooks", "stop", "failed", "save", "search",
		"shared", "images", "other"}[p]
}

// String is the part in words.
func (p Part) String() string {
	return [parts]string{"measuring", "warm-up", "letting the machine settle", "starting services",
		"starting and ending the load", "prepare and conclude",
		"stopping services", "repetitions that failed", "saving", "searching", "shared services", "images", "other"}[p]
}

// Spent is what a run spent its time on, by clocks: each part, which add up to the whole.
type Spent [parts]time.Duration

// Parts lists them, measuring and warm-up first.
func (s *Spent) Parts() []Part {
	out := make([]Part, len(s))
	for i := range out {
		out[i] = Part(i)
	}
	return out
}

// Whole is the sum of all parts.
func (s *Spent) Whole() time.Duration {
	sum := time.Duration(0)
	for _, spent := range s {
		sum += spent
	}
	return sum
}

// Efficiency is the share of the time that was measuring or warm-up, searches aside; 0 of no time, and 1 of one that is
// shorter than what was measured by another clock.
func (s *Spent) Efficiency() float64 {
	aside := s.Whole() - s[Searching]
	if aside <= 0 {
		return 0
	}
	return min(1, (s[Measuring]+s[Warmup]).Seconds()/aside.Seconds())
}

// Add adds what another run spent.
func (s *Spent) Add(o Spent) {
	for part, spent := range o {
		s[part] += spent
	}
}

// timing adds the time until end is called to a part, without the parts that grow meanwhile.
func (s *Spent) timing(part Part) (end func()) {
	begin, before := time.Now(), s.Whole()
	return func() { s[part] += time.Since(begin) - (s.Whole() - before) }
}

func (s *Spent) repetition(rec *record.Record) {
	for name, seconds := range rec.Parts {
		if name == "prepare" || name == "conclude" {
			name = Hooks.Name()
		}
		for _, part := range s.Parts() {
			if part.Name() != name {
				continue
			}
			if rec.Failure != "" {
				part = Failing
			}
			s[part] += time.Duration(seconds * float64(time.Second))
		}
	}
}
