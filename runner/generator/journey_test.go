package generator

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	nethttp "net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"benchbook/runner/load/http"
	"benchbook/slowtest"
)

// shop is a server whose items are for those who have logged in, by cookie and token. It counts what is wrong.
type shop struct {
	*httptest.Server
	mu       sync.Mutex
	sessions map[string]string // users by session
	logins   []string          // users, in the order in which they came
	bought   map[string]int    // by user
	wrong    []string
	fails    func(path string, n int) bool // says that a request fails, by how many of its path came before
	counts   map[string]int
}

func newShop(t *testing.T) *shop {
	s := &shop{sessions: map[string]string{}, bought: map[string]int{}, counts: map[string]int{},
		fails: func(string, int) bool { return false }}
	s.Server = httptest.NewServer(nethttp.HandlerFunc(s.answer))
	t.Cleanup(s.Close)
	return s
}

// loggedIn is who has logged in so far, in the order in which they came.
func (s *shop) loggedIn() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.logins)
}

func (s *shop) answer(w nethttp.ResponseWriter, r *nethttp.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.counts[r.URL.Path]++; s.fails(r.URL.Path, s.counts[r.URL.Path]-1) {
		w.WriteHeader(nethttp.StatusInternalServerError)
		return
	}
	var session, user string
	for _, c := range r.Cookies() {
		if c.Name == "session" && session != "" {
			s.wrong = append(s.wrong, "two sessions")
		}
		if c.Name == "session" {
			session, user = c.Value, s.sessions[c.Value]
		}
	}
	switch {
	case r.Method == "POST" && r.URL.Path == "/login":
		user = strings.TrimPrefix(string(body), "user=")
		if session != "" {
			s.wrong = append(s.wrong, "a journey began with the cookie of another")
		}
		session = fmt.Sprintf("s%d", len(s.logins))
		s.logins, s.sessions[session] = append(s.logins, user), user
		nethttp.SetCookie(w, &nethttp.Cookie{Name: "session", Value: session, Path: "/"})
		nethttp.SetCookie(w, &nethttp.Cookie{Name: "gone", Value: "x", MaxAge: -1})
		fmt.Fprintf(w, `{"access": {"token": "t-%s"}}`, user)
	case user == "" || r.Header.Get("Authorization") != "Bearer t-"+user || len(r.Header["Cookie"]) > 1:
		s.wrong = append(s.wrong, fmt.Sprintf("%s %s: user %q, %v", r.Method, r.URL, user, r.Header))
		w.WriteHeader(nethttp.StatusForbidden)
	case r.URL.Path == "/items":
		w.Header().Set("Location", fmt.Sprintf("http://%s/items/of%%20%s?n=1", r.Host, user))
		fmt.Fprintf(w, "%s<a href='/items/next?id=a/%s&x'>", strings.Repeat("x", 20<<10), user)
	case strings.HasPrefix(r.URL.Path, "/items/"):
		if item := r.URL.Path; item != "/items/of "+user || r.URL.RawQuery != "n=1" || r.URL.Query().Get("id") != "" {
			s.wrong = append(s.wrong, "bought "+r.URL.String())
		}
		s.bought[user]++
		w.WriteHeader(nethttp.StatusCreated)
		json.NewEncoder(w).Encode(map[string]any{"by": user, "bytes": len(body)})
	default:
		w.WriteHeader(nethttp.StatusNotFound)
	}
}

// config is that of journeys of three steps with data.
func (s *shop) config(rows ...string) http.Config {
	token := map[string]string{"Authorization": "Bearer ${{ steps.token }}"}
	return http.Config{
		Targets: []http.Target{
			{URL: s.URL + "/login", Method: "POST", Body: []byte("user=${{ data.user }}")},
			{URL: s.URL + "/items", Headers: token},
			{URL: s.URL + "${{ steps.next }}", Method: "POST", Headers: token, Body: []byte("${{ steps.found }}")},
		},
		Steps: []http.Step{
			{Name: "login", Extract: map[string]string{"token": "json:access.token"}},
			{Name: "list", Extract: map[string]string{"next": "header:Location", "found": `regex:id=([^&]*)`}},
			{Name: "buy", Verify: &http.Verify{Status: []int{201}}},
		},
		Data:        &http.Data{CSV: []byte("id,user\n" + strings.Join(rows, "\n") + "\n")},
		Connections: 3, Requests: 90, Timeout: 20 * time.Second, KeepAlive: true, Verify: &http.Verify{},
	}
}

// Each client has the values and cookies of its own journey, and journeys take the rows of the data in turn.
func TestJourneys(t *testing.T) {
	for _, name := range []string{"kept alive", "a connection for each request"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			config := s.config("1,ann", "2,bob", "3,cyd", "4,dee")
			config.KeepAlive, config.Threads = name == "kept alive", 1
			r := mustRun(t, config)
			s.mu.Lock()
			defer s.mu.Unlock()
			if len(s.wrong) > 0 {
				t.Fatalf("the server got %d wrong requests: %s", len(s.wrong), s.wrong[0])
			}
			j := r.Journeys
			cut := config.Connections
			if j == nil || j.Attempted != 30 || j.Right != 30 || j.Failed != 0 || j.Completed != 30 {
				// With three clients the last of 90 requests need not be the last steps of their journeys.
				if j == nil || j.Attempted < 30-int64(cut) || j.Right != j.Attempted || j.Failed != 0 {
					t.Fatalf("got %+v", j)
				}
			}
			if j.Time.Count != j.Right || j.Attempted+j.Cut.Count > 33 || j.Time.Min < r.Latency.Min*3 {
				t.Errorf("%d times of %d journeys, and %d cut, at least %d ns long; a request takes %d", j.Time.Count, j.Right,
					j.Cut.Count, j.Time.Min, r.Latency.Min)
			}
			sum := int64(0)
			for i, step := range j.Steps {
				if sum += step.Attempted; step.Latency.Count != step.Attempted || len(step.Failures) > 0 {
					t.Errorf("step %d: %+v", i, step)
				}
			}
			if sum != 90 {
				t.Errorf("the steps have %d requests, want 90", sum)
			}
			// One login comes from the check before timing.
			for i, user := range s.logins[1:] {
				if want := []string{"ann", "bob", "cyd", "dee"}; !slices.Contains(want, user) {
					t.Fatalf("login %d is of %q", i, user)
				}
			}
			by := map[string]int{}
			for _, user := range s.logins[1:] {
				by[user]++
			}
			counts := slices.Sorted(maps.Values(by))
			if counts[len(counts)-1]-counts[0] > 1 {
				t.Errorf("rows were not taken in turn: %v", by)
			}
		})
	}
}

// A step without a right answer, or without what is to be extracted from it, ends its journey.
func TestFailedJourneys(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*shop, *http.Config)
		step   int
		kind   http.Kind
	}{
		{"a wrong status", func(s *shop, _ *http.Config) {
			s.fails = func(path string, n int) bool { return path == "/items" && n%2 == 1 }
		}, 1, http.Wrong},
		{"no such header", func(_ *shop, c *http.Config) {
			c.Steps[1].Extract["next"] = "header:X-None"
		}, 1, http.Extract},
		{"no such path", func(_ *shop, c *http.Config) {
			c.Steps[0].Extract["token"] = "json:token"
		}, 0, http.Extract},
		{"no match", func(_ *shop, c *http.Config) {
			c.Steps[1].Extract["found"] = "regex:id=(#)"
		}, 1, http.Extract},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			config := s.config("1,ann")
			config.Verify = &http.Verify{Before: new(false)}
			s.mu.Lock()
			tt.change(s, &config)
			s.mu.Unlock()
			r := mustRun(t, config)
			j := r.Journeys
			step := j.Steps[tt.step]
			if step.Failures[tt.kind] == 0 || r.Failures[tt.kind] != step.Failures[tt.kind] || r.Failed != j.Failed {
				t.Errorf("failures %v, in the step %v, failed journeys %d of %d", r.Failures, step.Failures, j.Failed, j.Attempted)
			}
			if tt.kind == http.Extract && (j.Right > 0 || j.Steps[2].Attempted > 0 || step.Latency.Count > 0) {
				t.Errorf("journeys went on: %+v", j)
			}
			for i, other := range j.Steps {
				if i != tt.step && len(other.Failures) > 0 {
					t.Errorf("step %d has failures: %v", i, other.Failures)
				}
			}
		})
	}
}

// The check before timing says which step went wrong, and what was wanted.
func TestCheckOfSteps(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(*http.Config)
		want   string
	}{
		{"right", func(*http.Config) {}, ""},
		{"a status", func(c *http.Config) { c.Steps[2].Verify = nil; c.Verify.Status = []int{200} },
			`: step "buy": wanted status 200, got 201; the answer was "HTTP/1.1 201 Created"`},
		{"a body", func(c *http.Config) { c.Steps[1].Verify = &http.Verify{Contains: "no"} },
			`: step "list": wanted a body that contains "no"`},
		{"a value", func(c *http.Config) { c.Steps[0].Extract["token"] = "json:access.key" },
			`: step "login": nothing to extract as "token" (access.key in the JSON body: there is no "key")`},
	} {
		s := newShop(t)
		config := s.config("1,ann")
		tt.change(&config)
		_, err := Run(t.Context(), config)
		if checkError(t, err, tt.want); err != nil && !strings.HasPrefix(err.Error(), "check before timing: ") {
			t.Errorf("%s: got %v", tt.name, err)
		}
		answers, err := Check(t.Context(), config)
		if err != nil {
			t.Fatal(err)
		}
		last := answers[len(answers)-1]
		if (last.Failure == "") != (tt.want == "") || tt.want != "" && !strings.HasPrefix(": "+last.Failure, tt.want) ||
			tt.want == "" && len(answers) != 3 {
			t.Errorf("%s: got %+v", tt.name, answers)
		}
	}
}

// A server that nobody has started is said in the same words as for a load without steps.
func TestStepsOfNobody(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.Close()
	config := s.config("1,ann")
	want := "before timing: no connection to " + s.URL
	if _, err := Run(t.Context(), config); err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v, want %q", err, want)
	}
}

// Clients pause behind a step as long as it says, and that is part of a journey but for the last one.
func TestThinkOfSteps(t *testing.T) {
	slowtest.Skip(t)
	t.Parallel()
	const short, long = 10 * time.Millisecond, 40 * time.Millisecond
	s := serve(t, good)
	r := mustRun(t, http.Config{Targets: []http.Target{{URL: s.url()}, {URL: s.url()}, {URL: s.url()}},
		Steps:       []http.Step{{Name: "a", Think: long}, {Name: "b", Think: short}, {Name: "c", Think: long}},
		Connections: 2, Duration: time.Second + short + long/2, Timeout: 20 * time.Second, KeepAlive: true})
	j := r.Journeys
	if j.Right < 4 || j.Time.Min < (short+long).Nanoseconds() || j.Time.Min > (short+2*long).Nanoseconds() {
		t.Errorf("%d journeys, the shortest of %v", j.Right, time.Duration(j.Time.Min))
	}
	if most := 2*int64(time.Second/(short+2*long)) + 4; j.Right+j.Cut.Count > most {
		t.Errorf("%d journeys and %d cut, more than the %d there is time for", j.Right, j.Cut.Count, most)
	}
	if j.Cut.Count > 2 {
		t.Errorf("%d journeys were cut by the end of the window, of two clients", j.Cut.Count)
	}
}

// A window that ends in a pause between two steps cuts the journeys of all clients.
func TestJourneysThatAreCut(t *testing.T) {
	t.Parallel()
	s := serve(t, good)
	const length = 300 * time.Millisecond
	r := mustRun(t, http.Config{Targets: []http.Target{{URL: s.url()}, {URL: s.url()}},
		Steps:       []http.Step{{Name: "a", Think: time.Minute}, {Name: "b"}},
		Connections: 2, Duration: length, Timeout: 20 * time.Second, KeepAlive: true})
	if j := r.Journeys; j.Right != 0 || j.Cut.Count != 2 || time.Duration(j.Cut.Max) > r.Length {
		t.Errorf("%d journeys ended, and %d were cut, after %v at most", j.Right, j.Cut.Count, time.Duration(j.Cut.Max))
	}
}

// In an open loop journeys are due, and count from then, also where all clients have one under way.
func TestJourneysAtARate(t *testing.T) {
	slowtest.Skip(t)
	for _, tt := range []struct {
		name        string
		connections int
		keepsUp     bool
	}{{"enough clients", 50, true}, {"too few clients", 1, false}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			const think = 20 * time.Millisecond
			s := newShop(t)
			config := s.config("1,ann", "2,bob")
			config.Requests, config.Duration, config.Rate, config.Connections = 0, time.Second, 60, tt.connections
			config.Steps[0].Think, config.Steps[1].Think = think, think
			r := mustRun(t, config)
			s.mu.Lock()
			defer s.mu.Unlock()
			if len(s.wrong) > 0 {
				t.Fatalf("the server got %d wrong requests: %s", len(s.wrong), s.wrong[0])
			}
			j := r.Journeys
			if r.Due != 60 || r.Offered != 60 || j.Failed != 0 || r.Lag.Count != r.Sent || j.Steps[0].Attempted != 60 {
				t.Errorf("due %d, offered %v, lags %d of %d, journeys %+v", r.Due, r.Offered, r.Lag.Count, r.Sent, j)
			}
			if j.Right+j.Cut.Count != 60 || j.Time.Min < 2*think.Nanoseconds() {
				t.Errorf("%d journeys were right and %d cut, the shortest took %v", j.Right, j.Cut.Count,
					time.Duration(j.Time.Min))
			}
			// One client has time for 25 journeys, and the last of them were due long before.
			if isQuick := j.Right > 26; isQuick != tt.keepsUp {
				t.Errorf("%d journeys of 60 were right", j.Right)
			}
			if !tt.keepsUp && time.Duration(j.Time.Max) < 300*time.Millisecond {
				t.Errorf("the longest journey took %v", time.Duration(j.Time.Max))
			}
		})
	}
}

// Several generators share the rows of the data between them.
func TestPartsOfJourneys(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	var parts []*http.Result
	for n := range 2 {
		config := s.config("1,ann", "2,bob")
		config.Part, config.Connections, config.Verify = http.Part{Number: n, Of: 2}, 2, nil
		config.Threads = 1
		before := len(s.loggedIn())
		parts = append(parts, mustRun(t, config))
		for _, user := range s.loggedIn()[before:] {
			if want := []string{"ann", "bob"}[n]; user != want {
				t.Fatalf("part %d has user %q, want %q", n, user, want)
			}
		}
	}
	all, err := http.Merge(parts)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := all.Journeys.Right, parts[0].Journeys.Right+parts[1].Journeys.Right; got != want ||
		all.Journeys.Time.Count != want || all.Journeys.Steps[0].Latency.Count != all.Journeys.Steps[0].Attempted {
		t.Errorf("merged to %+v", all.Journeys)
	}
	if _, err := http.Merge([]*http.Result{parts[0], {}}); err == nil {
		t.Error("a part without journeys is taken")
	}
}

// Random rows are the same for a seed.
func TestRandomRows(t *testing.T) {
	t.Parallel()
	var orders [3]string
	for i, seed := range []uint64{1, 1, 2} {
		s := newShop(t)
		config := s.config("1,ann", "2,bob", "3,cyd")
		config.Seed, config.Data.Random, config.Connections, config.Verify = seed, true, 1, nil
		mustRun(t, config)
		orders[i] = strings.Join(s.loggedIn(), " ")
	}
	if orders[0] != orders[1] || orders[0] == orders[2] || orders[0] == strings.Repeat("ann ", 29)+"ann" {
		t.Errorf("got %q", orders)
	}
}
