package plan

import (
	"strings"
	"testing"

	"benchbook/notebook/spec"
)

// withUsers is an article with a load and the file users.csv.
func withUsers(load, users string) string {
	return text(block("name: e\nservices: {s: {image: x}, other: {image: x}}\nload: {"+load+"}\n")) +
		"\n```csv file=users.csv\n" + users + "```\n"
}

// What steps of a load cannot have, or use before it is known, is said before anything runs.
func TestJourneys(t *testing.T) {
	const users = "user,city\nann,Ulm\n"
	const a, b = "{name: a, url: /a, extract: {id: json:id}}", "{name: b, url: '/b/${{ steps.id }}'}"
	for _, tt := range []struct{ name, load, want string }{
		{"steps", "steps: [" + a + ", " + b + "]", ""},
		{"everything", "connections: 5, requests: 10, think: 1s, verify: {status: 201}, headers: {X: '${{ data.user }}'}, " +
			"data: {file: users.csv, order: random}, steps: [{name: a, url: 'http://other/${{ random(1, 2) }}', method: PUT, " +
			"body: '${{ data.city }}', think: 1ms, verify: {length: 5}, extract: {id: 'regex:(x)', t: header:Location}}, " +
			"{name: b, url: '${{ steps.t }}'}]", ""},
		{"stages of connections", "stages: [{duration: 1s, connections: 5}], steps: [" + a + "]", ""},
		{"a rate", "rate: 5/s, arrivals: poisson, steps: [" + a + "]", ""},
		{"stages of rates", "stages: [{duration: 1s, rate: 5/s}], steps: [" + a + "]", ""},
		{"a tool", "tool: ab, steps: [" + a + "]", "ab has no flag for steps [no-flag]"},
		{"a driver", "driver: {image: y}, steps: [" + a + "]", "our own generator goes through steps, and a " +
			"driver puts the load on [contradiction]"},
		{"data without steps", "data: users.csv", "data are for steps, and the load has none [contradiction]"},
		{"several targets", "target: [http://s, http://other], steps: [" + a + "]",
			"steps begin at one target, and the load has several [contradiction]"},
		{"a target with a path", "target: http://s/a, steps: [" + a + "]",
			"the target of a load with steps has a path [contradiction]"},
		{"no name", "steps: [{url: /}]", "a step has no name [missing-key]"},
		{"no url", "steps: [{name: a}]", "a step has no url [missing-key]"},
		{"a name twice", "steps: [" + a + ", {name: a, url: /}]", `there is a step "a" already [duplicate-name]`},
		{"a bad name", "steps: [{name: a.b, url: /}]", `invalid name of a step "a.b" [bad-name]`},
		{"a relative URL", "steps: [{name: a, url: a}]", `invalid URL of a step "a" [wrong-value]`},
		{"another service", "steps: [{name: a, url: 'http://none/'}]",
			`the load goes to "none", which is not a service of the experiment [unknown-service]`},
		{"a host of values", "data: users.csv, steps: [{name: a, url: 'http://${{ data.user }}/'}]",
			`the host of the URL "http://${{ data.user }}/" is not the same for all requests [wrong-value]`},
		{"a bad pattern", "steps: [{name: a, url: /, extract: {x: 'regex:(' }}]",
			"value \"x\" cannot be extracted: the pattern cannot be read: missing closing ): `(` [bad-regex]"},
		{"no form", "steps: [{name: a, url: /, extract: {x: token}}]",
			`value "x" cannot be extracted: "token" does not say where the value is [wrong-value]`},
		{"an unknown value", "steps: [" + a + ", {name: b, url: '/${{ steps.ids }}'}]",
			"no step extracts ids [bad-expression]"},
		{"a value too early", "steps: [" + b + ", " + a + "]",
			"step b uses steps.id before it is extracted [bad-expression]"},
		{"a value of its own", "steps: [{name: a, url: '/${{ steps.id }}', extract: {id: json:id}}]",
			"step a uses steps.id before it is extracted [bad-expression]"},
		{"an unknown column", "data: users.csv, steps: [{name: a, url: '/${{ data.name }}'}]",
			"the data have no column name [bad-expression]"},
		{"no data", "steps: [{name: a, url: '/${{ data.user }}'}]", "the data have no column user [bad-expression]"},
		{"a value elsewhere", "target: 'http://s/${{ data.user }}'",
			"data.user is known to the steps of a load, and this is not part of one's request [bad-expression]"},
		{"a value in another key", "steps: [" + a + ", {name: b, url: /, verify: {contains: '${{ steps.id }}'}}]",
			"steps.id is known to the steps of a load, and this is not part of one's request [bad-expression]"},
		{"no such file", "data: none.csv, steps: [" + a + "]",
			`no file or listing "none.csv" in the article's folder [no-such-file]`},
		{"before of a step", "steps: [{name: a, url: /, verify: {before: false}}]",
			"all steps are checked before timing, or none [contradiction]"},
		{"an unknown order", "data: {file: users.csv, order: sorted}, steps: [" + a + "]",
			`order cannot be "sorted" [wrong-value]`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, problems := newPlan(t, withUsers(toS(tt.load), users), Options{}, nil)
			wantProblems(t, problems, tt.want)
		})
	}
	for users, want := range map[string]string{
		"user\n": `the data in "users.csv" cannot be used: it has no rows below a line with the names of ` +
			"columns [bad-csv]",
		"user\nann,1\n": `the data in "users.csv" cannot be used: line 2: wrong number of fields [bad-csv]`,
		"user\n" + strings.Repeat("a234567\n", 75_000): `the data in "users.csv" cannot be used: it has 600005 bytes, more than ` +
			"512 KiB [too-large]",
	} {
		_, problems := newPlan(t, withUsers("target: http://s, data: users.csv, steps: [{name: a, url: '/${{ data.user }}'}]",
			users), Options{}, nil)
		if len(problems) != 1 || problems[0].Message+" ["+problems[0].Rule+"]" != want {
			t.Errorf("got %v, want %s", problems, want)
		}
	}
}

// A step is as the load says where it says nothing itself.
func TestStepsInherit(t *testing.T) {
	p, problems := newPlan(t, withUsers("target: http://s/, method: PUT, headers: {A: b}, body: x, think: 1s, "+
		"verify: {status: 201, contains: y}, steps: [{name: a, url: /a}, {name: b, url: 'http://other:5/b', method: GET, "+
		"headers: {C: d}, think: 2s, verify: {status: [200, 204]}}]", "a\n1\n"), Options{}, nil)
	if len(problems) > 0 {
		t.Fatal(problems[0])
	}
	l := p.Experiments[0].Trials[0].Load
	a, b := l.Steps[0], l.Steps[1]
	if a.URL != "http://s/a" || a.Method != "PUT" || a.Headers["A"] != "b" || a.Body != "x" || a.Think.Seconds() != 1 ||
		a.Status[0] != 201 || a.Contains != "y" {
		t.Errorf("got %+v", a)
	}
	if b.URL != "http://other:5/b" || b.Method != "GET" || b.Headers["C"] != "d" || len(b.Headers) != 1 ||
		b.Think.Seconds() != 2 || len(b.Status) != 2 || b.Contains != "y" {
		t.Errorf("got %+v", b)
	}
	if got := strings.Join(l.URLs(), " "); got != "http://s/ http://other:5/b" {
		t.Errorf("it goes to %s", got)
	}
	if names := (*spec.Load)(nil).StepNames(); len(names) > 0 {
		t.Errorf("a command has steps %v", names)
	}
}

// The key of a trial has its steps in it and what is in the file of data, of which the rest of it may change.
func TestKeyOfJourneys(t *testing.T) {
	key := func(load, users string) string {
		t.Helper()
		p, problems := newPlan(t, withUsers("target: http://s, data: users.csv, steps: [{name: a, url: /a}"+load+"]", users),
			Options{}, nil)
		if len(problems) > 0 {
			t.Fatal(problems[0])
		}
		return p.Experiments[0].Trials[0].Key
	}
	base := key("", "a\n1\n")
	for what, other := range map[string]string{
		"other data": key("", "a\n2\n"), "another step": key(", {name: b, url: /b}", "a\n1\n"),
	} {
		if other == base {
			t.Errorf("%s leaves the key as it is", what)
		}
	}
}
