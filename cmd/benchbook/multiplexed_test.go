package main

import (
	"bytes"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"benchbook/notebook/dataset"
	"benchbook/notebook/record"
)

// multiplexed is an article about a server of HTTP/2, over TLS and without.
const multiplexed = `---
title: HTTP/2
defaults: {repetitions: 1, calibrate: false}
---

~~~dockerfile file=Dockerfile
FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends nghttp2 openssl && rm -rf /var/lib/apt/lists/*
RUN openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=server -keyout /key.pem -out /cert.pem
RUN mkdir /www && echo hello >/www/index.html
CMD nghttpd --no-tls -d /www 80 & exec nghttpd -d /www 443 /key.pem /cert.pem
~~~

~~~yaml experiment
name: clear
services: {server: {build: ., expose: [80, 443]}}
matrix: {streams: [1, 20]}
load:
  target: http://server/
  protocol: h2c
  streams: "${{ matrix.streams }}"
  connections: 2
  duration: 2s
  verify: {length: 6, contains: hello}
~~~

~~~yaml experiment
name: secure
extends: clear
matrix: {streams: [20]}
load: {target: https://server/, protocol: h2}
~~~

~~~yaml experiment
name: scheduled
extends: clear
matrix: {streams: [20]}
load: {rate: 500/s, generators: 2}
~~~

~~~yaml experiment
name: counted
extends: clear
matrix: {streams: [20]}
load: {requests: 5000, duration: null}
~~~
`

// A server of HTTP/2 is asked by both ways to it, with several requests on each connection, and the record says so.
// What it does not allow is said.
func TestHTTP2(t *testing.T) {
	w := onEngine(t)
	dir, folder := project(t, "http2", multiplexed)
	t.Log(mustRun(t, w, "-C", dir, "run", "--quick"))
	records := measuredIn(t, folder)
	for name, want := range map[string]struct {
		protocol string
		records  int
	}{"clear": {"h2c", 2}, "secure": {"h2", 1}, "scheduled": {"h2c", 1}, "counted": {"h2c", 1}} {
		if n := planned(records[name]); n != want.records {
			t.Errorf("%s: %d records, want %d", name, n, want.records)
		}
		for _, r := range records[name] {
			l := r.Load
			if l.Protocol != want.protocol || l.Failed > 0 || l.Attempted == 0 || l.Connections != 2 {
				t.Errorf("%s: %+v", name, l)
			}
			if tls := r.Facts["load.tls"]; (tls != "") != (want.protocol == "h2") {
				t.Errorf("%s: TLS was %q", name, tls)
			}
			if connects, missing := dataset.Value(r, "connects", nil); missing != "" || connects > 2 {
				t.Errorf("%s: %v connections %s", name, connects, missing)
			}
			if l.Open == nil && !(math.Abs(l.InFlight-1) < 0.1) {
				t.Errorf("%s: a share of %v of %d clients had a request under way", name, l.InFlight, l.Clients())
			}
			if l.Open != nil && l.Open.Due != 1000 {
				t.Errorf("%s: %d were due, want 1000", name, l.Open.Due)
			}
		}
	}
	dir, folder = project(t, "many", strings.Replace(multiplexed, "[1, 20]", "[200]", 1)[:strings.Index(multiplexed,
		"~~~yaml experiment\nname: secure")])
	var out bytes.Buffer
	status := run([]string{"-C", dir, "run", "--quick"}, &out, &out, w)
	many := failuresIn(t, folder)
	const want = "check before timing: GET http://server/ at "
	if status == 0 || len(many) == 0 || !strings.HasPrefix(many[0], want) || !strings.Contains(many[0],
		"the server allows 100 requests at a time on a connection") {
		t.Errorf("status %d, failures %q\n%s", status, many, &out)
	}
}

// failuresIn are why repetitions failed.
func failuresIn(t *testing.T, folder string) (failures []string) {
	t.Helper()
	records, _, err := record.Dir(filepath.Join(folder, "records")).Read()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		if r.Failure != "" {
			failures = append(failures, r.Failure)
		}
	}
	return failures
}
