package parts

import (
	"net/url"
	"regexp"
	"strings"

	"benchbook/notebook/article"
	"benchbook/notebook/journey"
	"benchbook/notebook/source"
	"benchbook/notebook/spec"
)

// maxSteps is how many steps a journey may have.
const maxSteps = 100

// stepWord is what steps and the values that they extract can be called: both are part of other names.
var stepWord = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]*$`)

// journeys reads the steps of a load, whose target is known, and the data for them.
//
// Source: docs/load.md#journeys.
func (r *reading) journeys(l *article.Load, out *spec.Load) {
	if len(l.Steps) == 0 {
		if l.Data != nil {
			r.problems.Add("contradiction", l.Data.Pos, "data are for steps, and the load has none").
				Hint = "add steps:, or write body: for what a request sends"
		}
		return
	}
	r.checkJourneys(l)
	seen := map[string]bool{}
	for i := range l.Steps {
		s := &l.Steps[i]
		r.checkStepName(s, seen)
		out.Steps = append(out.Steps, r.step(l, s, out))
	}
	out.Status, out.Contains, out.Match, out.Length, out.JSON, out.WantHeaders = nil, "", "", nil, nil, nil
	if d := l.Data; d != nil {
		out.Data = r.data(d)
	}
}

// checkJourneys reports what a load with steps cannot have.
func (r *reading) checkJourneys(l *article.Load) {
	contradicts := func(at source.Pos, words, hint string) {
		if at.Source != nil {
			r.problems.Add("contradiction", at, "%s", words).Hint = hint
		}
	}
	at := l.Steps[0].Pos
	if len(l.Steps) > maxSteps {
		r.problems.Add("too-many", at, "the load has %d steps, and may have %d", len(l.Steps), maxSteps).
			Hint = "leave some out"
	}
	if r.experiment.Capacity != nil {
		contradicts(at, "capacity looks for a rate of requests, and steps make journeys of them", "remove capacity, or steps")
	}
	if !l.Rate.Of.IsZero() {
		contradicts(l.Rate.Of.Pos, "the rate of a load with steps is of journeys, and a throughput is of requests",
			"write a number of journeys per second")
	}
	if len(l.Target) > 1 {
		contradicts(l.Target[1].Pos, "steps begin at one target, and the load has several",
			"write the others into url of steps")
		return
	}
	if len(l.Target) == 0 {
		return // reported as missing
	}
	u, err := url.Parse(l.Target[0].URL.Value)
	if err == nil && (u.Path != "" && u.Path != "/" || u.RawQuery != "") {
		contradicts(l.Target[0].URL.Pos, "the target of a load with steps has a path", "write it into url of each step")
	}
}

// checkStepName reports a step that has no name of its own.
func (r *reading) checkStepName(s *article.LoadStep, seen map[string]bool) {
	switch name := s.Name.Value; {
	case name == "" && !s.Tried.Has("name"):
		r.problems.Add("missing-key", s.Pos, "a step has no name").Hint = "write {name: NAME, url: /PATH}"
	case name == "" || isTemplate(s.Name): // reported
	case !stepWord.MatchString(name):
		r.problems.Add("bad-name", s.Name.Pos, "invalid name of a step %q", name).
			Hint = "begin with a letter, and use letters of English, digits, - and _"
	case seen[name]:
		r.problems.Add("duplicate-name", s.Name.Pos, "there is a step %q already", name).
			Hint = "give one of them another name"
	}
	seen[s.Name.Value] = true
}

// step reads one step: what it leaves out is as the load says.
func (r *reading) step(l *article.Load, s *article.LoadStep, load *spec.Load) spec.Step {
	asked := target(article.Target{URL: s.URL, Method: s.Method, Headers: s.Headers, Body: s.Body}, load)
	out := spec.Step{Name: s.Name.Value, URL: r.stepURL(l, s, load.Target), Method: asked.Method, Headers: asked.Headers,
		Body: asked.Body, Think: load.Think, Extract: s.Extract.Map()}
	if s.Think.Set() {
		out.Think = s.Think.V
	}
	if s.Think.V < 0 {
		positive(s.Think, "think", "", r.problems)
	}
	checkMethod(s.Method, r.problems)
	for _, e := range s.Extract {
		r.checkExtraction(e)
	}
	var wanted spec.Load
	if v := s.Verify; v != nil {
		if v.Before.Set() {
			r.problems.Add("contradiction", v.Before.Text.Pos, "all steps are checked before timing, or none").
				Hint = "write before into verify of the load"
		}
		verify(v, &spec.Load{}, r.problems)
	}
	verify(inherited(l.Verify, s.Verify), &wanted, &source.Problems{}) // those of the load were reported
	out.Status, out.Contains, out.Match, out.Length = wanted.Status, wanted.Contains, wanted.Match, wanted.Length
	out.JSON, out.WantHeaders = wanted.JSON, wanted.WantHeaders
	return out
}

// inherited is what a right answer to a step is: what it leaves out is as the load says.
func inherited(of, step *article.Verify) *article.Verify {
	var out article.Verify
	if of != nil {
		out = *of
	}
	if step == nil {
		return &out
	}
	if step.Status != nil {
		out.Status = step.Status
	}
	if !step.Contains.IsZero() {
		out.Contains = step.Contains
	}
	if !step.Match.IsZero() {
		out.Match = step.Match
	}
	if step.Length.Set() {
		out.Length = step.Length
	}
	if step.JSON != nil {
		out.JSON = step.JSON
	}
	if step.Headers != nil {
		out.Headers = step.Headers
	}
	return &out
}

// stepURL is where a step goes: to a path of the target, or to another URL.
func (r *reading) stepURL(l *article.Load, s *article.LoadStep, target string) string {
	written := s.URL.Value
	switch host, _, _ := strings.Cut(written, "${{"); {
	case written == "" && !s.Tried.Has("url"):
		r.problems.Add("missing-key", s.Pos, "a step has no url").Hint = "write {name: NAME, url: /PATH}"
	case written == "", strings.HasPrefix(written, "/"), strings.HasPrefix(written, "${{"):
	case !strings.Contains(written, "://"):
		r.problems.Add("wrong-value", s.URL.Pos, "invalid URL of a step %q", written).
			Hint = "begin it with / for a path of the target, or write http://SERVICE:PORT/path"
	case strings.Count(host, "/") < 3:
		r.problems.Add("wrong-value", s.URL.Pos, "the host of the URL %q is not the same for all requests", written).
			Hint = "values of steps and data can stand in its path and query"
	default:
		without := s.URL
		without.Value = host
		r.checkTarget(without, l)
		return written
	}
	return strings.TrimSuffix(target, "/") + written
}

// checkExtraction reports a value that cannot be found in answers.
func (r *reading) checkExtraction(e article.Named[source.Text]) {
	if !stepWord.MatchString(e.Name.Value) {
		r.problems.Add("bad-name", e.Name.Pos, "invalid name of a value %q", e.Name.Value).
			Hint = "begin with a letter, and use letters of English, digits, - and _"
	}
	if isTemplate(e.Value) {
		return // reported
	}
	if _, err := journey.ParseExtraction(e.Value.Value); err != nil {
		if strings.HasPrefix(e.Value.Value, "regex:") {
			r.problems.Add("bad-regex", e.Value.Pos, "value %q cannot be extracted: %v", e.Name.Value, err).
				Hint = "the syntax is that of Go and RE2; put the value into a group: regex:id=(.+)"
			return
		}
		r.problems.Add("wrong-value", e.Value.Pos, "value %q cannot be extracted: %v", e.Name.Value, err).
			Hint = journey.Forms
	}
}

// data reads the rows for journeys; nil if they cannot be read.
func (r *reading) data(d *article.Data) *spec.Data {
	if d.File.IsZero() {
		r.problems.Add("missing-key", d.Pos, "data names no file").Hint = "write data: FILE.csv"
		return nil
	}
	file, ok := r.Folder(d.File).File(d.File, r.problems)
	if !ok {
		return nil
	}
	switch _, err := journey.ParseData(file.Data); {
	case err != nil && len(file.Data) > journey.MaxData:
		r.problems.Add("too-large", d.File.Pos, "the data in %q cannot be used: %v", d.File.Value, err).
			Hint = "leave rows out: after the last one journeys begin again at the first"
		return nil
	case err != nil:
		r.problems.Add("bad-csv", d.File.Pos, "the data in %q cannot be used: %v", d.File.Value, err).
			Hint = "write CSV: a line with the names of columns, and a line for each row"
		return nil
	}
	out := &spec.Data{File: file, Order: spec.RoundRobin}
	if d.Order.Set() {
		out.Order = string(d.Order.V)
	}
	return out
}
