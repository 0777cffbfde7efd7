package origin

import (
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"time"

	"benchbook/runner/config"
)

// Bounds far above anything sensible, so that a slip of the pen ends in a message.
const (
	maxTime  = 24 * time.Hour
	maxBody  = 1 << 40 // bytes
	maxSigma = 20
)

// Config says what an origin answers, and when. A plan has filled in everything: it has no defaults but those below.
type Config struct {
	// Semantics has to be the Semantics of this package, so that a program of another version does not pass for this one.
	Semantics int `json:"semantics"`

	// Listen is the address to listen at, ":80" if empty.
	Listen string `json:"listen,omitempty"`

	// Seed begins the draws of latencies and errors. The same seed gives the same ones.
	Seed uint64 `json:"seed"`

	Latency Latency `json:"latency"`

	// Body is the size of an answer's body in bytes.
	Body int64 `json:"body"`

	// Status is that of a right answer, from 200 to 599, and Reason the phrase behind it, which may be empty.
	Status int    `json:"status"`
	Reason string `json:"reason,omitempty"`

	// Errors is the share of requests, from 0 to 1, that get an answer with status 500 instead.
	Errors float64 `json:"errors,omitempty"`
}

// Latency is how the times between the last byte of a request and the first byte of its answer are spread.
type Latency struct {
	// Distribution is constant, uniform, lognormal or empirical; empty: answers come at once.
	Distribution string `json:"distribution,omitempty"`

	Value  time.Duration   `json:"value_ns,omitempty"`  // of constant
	From   time.Duration   `json:"from_ns,omitempty"`   // of uniform: the shortest,
	To     time.Duration   `json:"to_ns,omitempty"`     // and the longest
	Median time.Duration   `json:"median_ns,omitempty"` // of lognormal,
	Sigma  float64         `json:"sigma,omitempty"`     // with the standard deviation of the logarithm
	Values []time.Duration `json:"values_ns,omitempty"` // of empirical: each as likely as the others
}

// ReadConfig reads one Config in JSON and validates it. Unknown fields and anything after it are errors.
func ReadConfig(r io.Reader) (Config, error) { return config.Read[Config](r) }

// Validate reports the first thing in the config that rules out an origin, in words that name the field.
func (c *Config) Validate() error {
	if c.Semantics != Semantics {
		return fmt.Errorf("semantics is %d, and this program's is %d: build both with make build", c.Semantics, Semantics)
	}
	if c.Body < 0 || c.Body > maxBody {
		return fmt.Errorf("body is %d bytes; it must lie between 0 and %d", c.Body, int64(maxBody))
	}
	if c.Status < 200 || c.Status > 599 {
		return fmt.Errorf("status is %d; it must lie between 200 and 599", c.Status)
	}
	if c.Body > 0 && !hasBody(c.Status) {
		return fmt.Errorf("body is %d bytes, and an answer of status %d has none", c.Body, c.Status)
	}
	for _, r := range c.Reason {
		if r < ' ' || r > '~' {
			return fmt.Errorf("reason %q has a character that cannot be in it", c.Reason)
		}
	}
	if !(c.Errors >= 0 && c.Errors <= 1) {
		return fmt.Errorf("errors is %v; it must lie between 0 and 1", c.Errors)
	}
	return c.Latency.validate()
}

func (l *Latency) validate() error {
	bounded := func(name string, d time.Duration) error {
		if d < 0 || d > maxTime {
			return fmt.Errorf("latency: %s is %v; it must lie between 0 and %v", name, d, maxTime)
		}
		return nil
	}
	switch l.Distribution {
	case "":
		return nil
	case "constant":
		return bounded("value", l.Value)
	case "uniform":
		if l.From > l.To {
			return fmt.Errorf("latency: from is %v and to is %v; from must not be the longer", l.From, l.To)
		}
		return errors.Join(bounded("from", l.From), bounded("to", l.To))
	case "lognormal":
		if !(l.Sigma > 0 && l.Sigma <= maxSigma) {
			return fmt.Errorf("latency: sigma is %v; it must be more than 0, and no more than %d", l.Sigma, maxSigma)
		}
		return bounded("median", l.Median)
	case "empirical":
		if len(l.Values) == 0 {
			return errors.New("latency: values is empty; an empirical latency is drawn from them")
		}
		for _, v := range l.Values {
			if err := bounded("one of values", v); err != nil {
				return err
			}
		}
		return nil
	}
	return fmt.Errorf("latency: unknown distribution %q; write constant, uniform, lognormal or empirical", l.Distribution)
}

// hasBody says whether answers of a status may have one (RFC 9110, 6.4.1).
func hasBody(status int) bool { return status != 204 && status != 304 }

// draws are what becomes of the requests, in the order in which their last bytes arrived, over whichever connections.
// Each request takes one number for its latency and one for whether it fails, so that latencies do not depend on
// whether there are errors, and two distributions with the same seed have their long latencies at the same requests.
type draws struct {
	latency Latency
	errors  float64
	times   *rand.Rand
	faults  *rand.Rand
}

func newDraws(c *Config) *draws {
	return &draws{latency: c.Latency, errors: c.Errors, times: rand.New(rand.NewPCG(c.Seed, 0)),
		faults: rand.New(rand.NewPCG(c.Seed, 1))}
}

// next draws for one request.
func (d *draws) next() (latency time.Duration, failed bool) {
	return d.latency.quantile(d.times.Float64()), d.faults.Float64() < d.errors
}

// quantile is the latency that a share of p of all is shorter than, 0 ≤ p < 1.
func (l *Latency) quantile(p float64) time.Duration {
	switch l.Distribution {
	case "constant":
		return l.Value
	case "uniform":
		return l.From + time.Duration(p*float64(l.To-l.From))
	case "lognormal":
		z := math.Sqrt2 * math.Erfinv(2*p-1) // of the normal distribution
		return time.Duration(min(float64(l.Median)*math.Exp(l.Sigma*z), float64(maxTime)))
	case "empirical":
		return l.Values[int(p*float64(len(l.Values)))]
	}
	return 0
}
