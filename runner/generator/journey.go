package generator

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"benchbook/runner/cookies"
	"benchbook/runner/jsonpath"
	"benchbook/runner/load/http"
)

// step is what is done with the answers to a step of a journey.
type step struct {
	name    string
	extract []extraction
	fields  []string // of an answer that are looked at
	body    int      // bytes of it, at most
}

// extraction is where the value of a variable is found.
type extraction struct {
	http.Extraction
	name     string
	variable int
}

// script is what the clients of a load with steps do.
type script struct {
	config    *http.Config
	variables []string
	rows      [][][]byte // of the data
	steps     []step
}

// newScript reads the steps of a valid config; nil without any.
func newScript(config *http.Config) (*script, error) {
	if len(config.Steps) == 0 {
		return nil, nil
	}
	rows, err := config.Rows()
	s := &script{config: config, variables: config.Variables(), rows: rows}
	for i := range config.Steps {
		one := step{name: config.Steps[i].Name, fields: []string{"Set-Cookie"}}
		from := config.Extractions(i, s.variables)
		for _, variable := range slices.Sorted(maps.Keys(from)) {
			e := extraction{from[variable], strings.TrimPrefix(s.variables[variable], "steps."), variable}
			one.extract = append(one.extract, e)
			if e.Header != "" {
				one.fields = append(one.fields, e.Header)
			} else {
				one.body = maxJSON
			}
		}
		s.steps = append(s.steps, one)
	}
	return s, err
}

// row is that of a journey, which has its number among those of all engines.
func (s *script) row(number uint64) [][]byte {
	if s.config.Data.Random {
		number = http.Mix(http.Mix(s.config.Seed) + number)
	}
	return s.rows[number%uint64(len(s.rows))]
}

// walkBefore goes through the steps once before timing.
func (l *load) walkBefore(ctx context.Context) error {
	answers, err := l.walk(ctx)
	if err != nil {
		return err
	}
	if last := answers[len(answers)-1]; last.Failure != "" {
		return fmt.Errorf("check before timing: %s %s at %v: %s", last.Method, last.URL, last.Address, last.Failure)
	}
	return nil
}

// checkSteps is walk for who has not looked for servers yet.
func (l *load) checkSteps(ctx context.Context) ([]http.Answer, error) {
	for _, o := range l.origins {
		all, err := o.resolve(ctx, l.config.Timeout)
		if err == nil {
			err = l.choose(ctx, o, all)
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if err != nil {
			return []http.Answer{{Failure: err.Error()}}, nil
		}
	}
	return l.walk(ctx)
}

// walk goes through the steps once, as far as their answers are right, and checks all that they are checked for. The
// last of the answers has a failure if it was not. The error is that the context ended.
func (l *load) walk(ctx context.Context) ([]http.Answer, error) {
	var answers []http.Answer
	var t traveller
	t.depart(l.script, 0)
	for i := range l.targets {
		target := &l.targets[i]
		o := l.origins[target.origin]
		t.ask(l.script, i, int32(target.origin))
		text := target.request.AppendWith(nil, http.Mix(l.config.Seed), &t.values)
		begin := time.Now()
		got, refusal, err := l.probe(ctx, o, o.addresses[0], &question{text: text, toHEAD: target.request.Method == "HEAD",
			verify: l.config.VerifyOf(i), keeps: l.script.steps[i].body})
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		a := http.Answer{Method: target.request.Method, URL: l.config.Targets[i].URL, Address: o.addresses[0],
			Took: time.Since(begin), Length: got.body.length, Status: got.status()}
		if refusal != nil {
			err = fmt.Errorf("no connection: %w", refusal)
		}
		if err == nil {
			t.answer = got
			err = t.keep(l.script, i, int32(target.origin))
		}
		if err != nil {
			a.Failure = fmt.Sprintf("step %q: %v%s", l.script.steps[i].name, err, got.describe())
		}
		if answers = append(answers, a); err != nil {
			break
		}
	}
	return answers, nil
}

// traveller is who goes through the steps: what it has of data and answers.
type traveller struct {
	values  http.Values
	cookies cookies.List
	answer  whole
}

// depart begins a journey with a number.
func (t *traveller) depart(s *script, number uint64) {
	if t.answer.body == nil {
		t.answer.body = &body{}
		t.values.Variables = make([][]byte, len(s.variables))
	}
	if len(s.rows) > 0 {
		copy(t.values.Variables, s.row(number))
	}
	t.cookies = t.cookies[:0]
}

// ask prepares for a step that asks a server.
func (t *traveller) ask(s *script, step int, origin int32) {
	t.values.Cookies = t.cookies.Append(t.values.Cookies[:0], origin)
	b := t.answer.body
	b.length, b.start, b.keeps = 0, b.start[:0], s.steps[step].body
	t.answer.fields, t.answer.wanted = t.answer.fields[:0], s.steps[step].fields
}

// keep takes what a right answer to a step has for later ones. The error says what it lacks.
func (t *traveller) keep(s *script, step int, origin int32) error {
	for _, f := range t.answer.fields {
		if strings.EqualFold(f.name, "Set-Cookie") {
			t.cookies.Set(origin, f.value, time.Now())
		}
	}
	var doc decoded
	for i := range s.steps[step].extract {
		e := &s.steps[step].extract[i]
		value, err := t.answer.find(&e.Extraction, &doc)
		if err != nil {
			return fmt.Errorf("nothing to extract as %q (%w)", e.name, err) // which no redactor takes for a secret
		}
		t.values.Variables[e.variable] = value
	}
	return nil
}

// find finds a value in an answer.
func (a *whole) find(e *http.Extraction, doc *decoded) ([]byte, error) {
	if e.Header != "" {
		for _, f := range a.fields {
			if strings.EqualFold(f.name, e.Header) {
				return []byte(f.value), nil
			}
		}
		return nil, fmt.Errorf("the answer has no header %s", e.Header)
	}
	if a.body.length > int64(len(a.body.start)) {
		return nil, fmt.Errorf("the body has %d bytes: values are looked for in one of at most %d MiB", a.body.length,
			maxJSON>>20)
	}
	if e.Pattern != nil {
		found := e.Pattern.FindSubmatch(a.body.start)
		if found == nil {
			return nil, fmt.Errorf("nothing in the body matches %q", e.Pattern)
		}
		return bytes.Clone(found[1]), nil
	}
	if err := doc.read(a.body.start); err != nil {
		return nil, err
	}
	value, err := jsonpath.LookUp(doc.value, e.Path)
	if err != nil {
		return nil, fmt.Errorf("%s in the JSON body: %w", e.Path, err)
	}
	return []byte(value), nil
}

// decoded is a body in JSON that is read when the first value is looked for in it.
type decoded struct {
	tried bool
	value any
	err   error
}

func (d *decoded) read(text []byte) error {
	if d.tried {
		return d.err
	}
	d.tried = true
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber() // so that a long integer stays as it is
	if d.err = dec.Decode(&d.value); d.err != nil {
		d.err = fmt.Errorf("the body is not JSON: %w", d.err)
	} else if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		d.err = errors.New("something follows the JSON of the body")
	}
	return d.err
}
