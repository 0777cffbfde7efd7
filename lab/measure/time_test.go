package measure

import (
	"slices"
	"strings"
	"testing"
	"time"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/lab"
	"benchbook/notebook/plan"
)

// planned returns the experiment made of some commands. Its article must have no problems.
func planned(t *testing.T, c Commands) *plan.Experiment {
	t.Helper()
	must.Do(c.check())
	return firstOf(t, c.oneLine())
}

var today = time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)

// firstOf returns the first experiment of an article.
func firstOf(t *testing.T, o *oneLine) *plan.Experiment {
	t.Helper()
	a := &lab.Session{}
	n := must.Get(o.open(a, t.TempDir()))
	problems, err := a.Check(n.project, n.list, plan.Options{})
	if err != nil || len(problems) > 0 {
		t.Fatalf("problems %v, %v in\n%s", problems, err, o.article(today, nil))
	}
	return n.list[0].Planned.Experiments[0]
}

// runs returns the words that each command is split into.
func runs(e *plan.Experiment) (all [][]string) {
	for _, trial := range e.Trials {
		if !trial.Calibration {
			all = append(all, trial.Command.Run)
		}
	}
	return all
}

func TestArticle(t *testing.T) {
	sh := func(line string) []string { return []string{"/bin/sh", "-c", line} }
	for _, tt := range []struct {
		line string
		want []string
	}{
		{"gzip -1 -c data", []string{"gzip", "-1", "-c", "data"}},
		{"grep 'a b' file", sh("grep 'a b' file")},
		{"echo it's", sh("echo it's")},
		{`printf "%s"`, sh(`printf "%s"`)},
		{"seq 10 | wc -l", sh("seq 10 | wc -l")},
		{"echo 'it''s' > /dev/null", sh("echo 'it''s' > /dev/null")},
		{"echo \"$HOME\" `date`", sh("echo \"$HOME\" `date`")},
		{"true # {a: b} - \"c\"", sh("true # {a: b} - \"c\"")},
		{"awk '{print $1}' file", sh("awk '{print $1}' file")},
		{"for i in 1 2\ndo true\ndone", sh("for i in 1 2\ndo true\ndone")},
		{"grep -c ü ~/x", sh("grep -c ü ~/x")},
	} {
		e := planned(t, Commands{Lines: []string{tt.line, "true", tt.line}, Folder: "/tmp"})
		if got := runs(e); len(got) != 3 || !slices.Equal(got[0], tt.want) || !slices.Equal(got[2], tt.want) {
			t.Errorf("%q is run as %q, want %q twice", tt.line, got, tt.want)
		}
	}
	e := planned(t, Commands{Lines: []string{"true"}, Folder: "/tmp", Warmup: 3, Repetitions: "4"})
	if c := e.Trials[0].Command; c.Warmup != 3 || c.WorkingDir != "/tmp" || e.Most() != 4 ||
		e.Timeout != time.Hour {
		t.Errorf("the command is %+v, %d times", c, e.Most())
	}
}

// The timeout of a repetition leaves time for late answers. With a number of requests, it is that of a command.
func TestTimeForALoad(t *testing.T) {
	for _, tt := range []struct {
		load Load
		want time.Duration
	}{
		{Load{Duration: time.Minute}, 6 * time.Minute},
		{Load{Duration: time.Minute, Timeout: 10 * time.Minute}, 16 * time.Minute},
		{Load{Duration: shortestWindow, Requests: 1e6}, time.Hour},
	} {
		tt.load.URLs, tt.load.Connections = []string{"http://127.0.0.1:1/"}, 1
		assert.Equal(t, firstOf(t, tt.load.oneLine()).Timeout, tt.want, "%+v: the time of a repetition", tt.load)
	}
}

func TestRefused(t *testing.T) {
	for line, want := range map[string]string{" ": "is empty", "echo ${{ x }}": "put the command into a script",
		"echo \x01": "are not text", "echo \xff": "are not text"} {
		assert.Error(t, (&Commands{Lines: []string{line}}).check(), want)
		want = strings.Replace(want, "put the command into a script", "choose another", 1)
		assert.Error(t, (&Commands{Lines: []string{"true"}, Names: []string{line}}).check(), want)
	}
}

// Credentials are sent, but appear neither in the article nor in the command that its page shows. Names are shortened
// and stay unique.
func TestCredentialsAreSecret(t *testing.T) {
	l := Load{URLs: []string{"http://127.0.0.1:1/"}, Connections: 1, Duration: time.Second,
		Headers: []string{"Accept: text/html", "Authorization: Bearer planted", "X-Api-Key:planted", "cookie: id=planted"}}
	o := l.oneLine()
	e := firstOf(t, o)
	if text := o.article(today, nil); strings.Contains(text, "planted") || !strings.Contains(text, "text/html") {
		t.Errorf("the article is\n%s", text)
	}
	if n := len(e.Trials[0].Load.Headers); n != 4 || len(o.secrets) != 3 || o.secrets[".header2"] != "Bearer planted" {
		t.Errorf("%d headers, secrets %q", n, o.secrets)
	}
	for _, h := range l.Headers {
		if got := WithoutCredential(h); strings.Contains(got, "planted") || h == l.Headers[0] && got != h {
			t.Errorf("the page shows %q", got)
		}
	}
}
