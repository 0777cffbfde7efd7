package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"benchbook/notebook/record"
)

// Clients log in by what the file of data says, and go on by cookie and token. Metrics of steps are like others in
// claims, tables and show.
func TestJourneys(t *testing.T) {
	w := onLocal(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, _ := r.Cookie("user")
		switch {
		case r.URL.Path == "/login":
			name := r.FormValue("user")
			http.SetCookie(w, &http.Cookie{Name: "user", Value: name})
			fmt.Fprintf(w, `{"token": "t-%s"}`, name)
		case user == nil || r.Header.Get("Authorization") != "Bearer t-"+user.Value || len(user.Value) < 100:
			w.WriteHeader(http.StatusForbidden)
		case r.URL.Path == "/buy":
			w.WriteHeader(http.StatusCreated)
		}
	}))
	defer server.Close()
	var users strings.Builder // more than one environment variable takes
	users.WriteString("user\n")
	for i := range 2000 {
		fmt.Fprintf(&users, "u%d%s\n", i, strings.Repeat("x", 100))
	}
	const article = `---
title: Shop
---

~~~yaml experiment
name: shop
load:
  target: "%s"
  outside: true
  requests: 3000
  connections: 2
  data: users.csv
  steps:
    - {name: login, url: /login, method: POST, headers: {Content-Type: application/x-www-form-urlencoded},
       body: "user=${{ data.user }}", extract: {token: json:token}}
    - {name: list, url: /list, headers: {Authorization: "Bearer ${{ steps.token }}"}, think: 1ms}
    - {name: buy, url: /buy, headers: {Authorization: "Bearer ${{ steps.token }}"}, verify: {status: 201}}
repetitions: 3
calibrate: false
~~~

~~~yaml claim
name: quick
headline: true
text: A purchase takes less than a second.
expect: latency.step.buy.p50 < 1s
~~~

~~~yaml table
label: tbl-shop
title: Journeys
columns: [journeys.rate, journeys.failed, journey.p90, latency.step.login.p50, errors.step.buy, errors.extract]
~~~
`
	dir, folder := project(t, "shop", fmt.Sprintf(article, server.URL))
	if err := os.WriteFile(filepath.Join(folder, "users.csv"), []byte(users.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	mustRun(t, w, "-C", dir, "run")
	c, err := record.Dir(folder + "/records").Load()
	if err != nil || len(c.Records) != 3 {
		t.Fatalf("%d records, %v", len(c.Records), err)
	}
	for _, r := range c.Records {
		if r.Failure != "" || r.Load.Journeys == nil {
			t.Fatalf("failure %q, load %+v", r.Failure, r.Load)
		}
		if j := r.Load.Journeys; j.Attempted < 990 || j.Failed != 0 || len(j.Steps) != 3 || j.Steps[2].Attempted < 990 ||
			r.Load.Failed != 0 {
			t.Errorf("%d requests failed, journeys %+v", r.Load.Failed, j)
		}
	}
	if out := mustRun(t, w, "-C", dir, "check"); !strings.Contains(out, "no problems") {
		t.Errorf("check says %s", out)
	}
	out := mustRun(t, w, "-C", dir, "show", "--trial", "shop", "--repetition", "1", "shop")
	for _, want := range []string{"journeys.rate", "journey.p99", "latency.step.buy.p50", "step login",
		"agrees with itself"} {
		if !strings.Contains(out, want) {
			t.Errorf("show --trial does not say %s:\n%s", want, out)
		}
	}
	mustRun(t, w, "-C", dir, "render")
	page, err := os.ReadFile(filepath.Join(dir, "_site", "shop", "index.html"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Journeys per second", "Latency of login p50", "Failures of step buy"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}
