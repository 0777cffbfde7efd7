package load

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"benchbook/internal/test/must"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
	"benchbook/runner/engine"
	"benchbook/runner/engine/docker"
	"benchbook/runner/engine/enginetest"
)

var compile = flag.Bool("compile", false, "run tools whose images take minutes to build as well")

// Each tool runs in its own container against a service of its kind, and tells what it should.
func TestRealTools(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a Docker engine and a minute: run without -short")
	}
	ctx := t.Context()
	e, err := docker.New(ctx, nil)
	if errors.Is(err, engine.ErrUnavailable) && !strings.Contains(os.Getenv("BENCHBOOK_TEST_REQUIRE"), "engine") {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	program := enginetest.Agent(t)
	// nginx closes a kept connection after a thousand requests if it is not told otherwise, and one run of h2load in
	// twenty-five does not end then.
	const web = `FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends nginx-light openssl && rm -rf /var/lib/apt/lists/*
RUN openssl req -x509 -newkey rsa:2048 -nodes -keyout /key -out /certificate -days 3650 -subj /CN=home-made
RUN printf 'daemon off; events { worker_connections 512; } http { access_log off; keepalive_requests 10000000; ssl_certificate /certificate; ssl_certificate_key /key; server { listen 8080; listen 8443 ssl; location / { return 200 Hello; } } }' > /etc/nginx/nginx.conf
CMD ["nginx"]
`
	const database = `FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends postgresql-15 && rm -rf /var/lib/apt/lists/*
USER postgres
RUN echo hunter4pass > /tmp/pw && /usr/lib/postgresql/15/bin/initdb -D /var/lib/postgresql/data -U postgres --pwfile /tmp/pw -A scram-sha-256 > /dev/null && \
    echo "host all all 0.0.0.0/0 scram-sha-256" >> /var/lib/postgresql/data/pg_hba.conf
CMD ["/usr/lib/postgresql/15/bin/postgres", "-D", "/var/lib/postgresql/data", "-c", "listen_addresses=*"]
`
	keys := spec.Load{Method: "GET", Connections: 4, Duration: time.Second, Timeout: 5 * time.Second, Keepalive: true,
		Verify: spec.Verify{CheckBefore: true}}
	type row struct {
		tool   string
		change func(*spec.Load)
		metric string // that it has to tell, besides throughput
		isSlow bool   // its image takes minutes, or it is not known how busy it is next to other tests

		dockerfile string
		port       int
		target     string
	}
	posting := func(l *spec.Load) { l.Method, l.Body = "POST", "x" }
	onSchedule := func(l *spec.Load) { l.Rate, l.Arrivals = 200, "constant" }
	rows := []row{{"pgbench", func(l *spec.Load) { l.Body = "select 1;" }, "latency", false, database, 5432,
		"postgres://postgres:hunter4pass@service/postgres"}}
	for _, tt := range []row{
		{tool: "ab", change: func(l *spec.Load) { l.Args = []string{"-l"} }, metric: "latency.p99"},
		{tool: "wrk", change: posting, metric: "latency.p99"},
		{tool: "hey", change: func(l *spec.Load) { l.Warmup = time.Second }, metric: "latency.p99"},
		{tool: "vegeta", change: onSchedule, metric: "service.p99"},
		{tool: "oha", change: onSchedule, metric: "latency.p99", isSlow: true},
		{tool: "k6", change: posting, metric: "latency.p99", isSlow: true},
		{tool: "fortio", change: func(l *spec.Load) { l.Keepalive = false }, metric: "latency.p99", isSlow: true},
		{tool: "h2load", change: func(l *spec.Load) { l.Headers = map[string]string{"A": "b"} }, metric: "latency"},
	} { // over TLS too, with a certificate that nobody knows
		plain, secure := tt, tt
		plain.dockerfile, plain.port, plain.target = web, 8080, "http://service:8080/"
		secure.dockerfile, secure.port, secure.target = web, 8443, "https://service:8443/"
		rows = append(rows, plain, secure)
	}
	for _, tt := range rows {
		if tt.isSlow && !*compile {
			continue
		}
		t.Run(fmt.Sprint(tt.tool, " ", tt.port), func(t *testing.T) {
			d := Tools(program)[tt.tool]
			image := must.Get(e.Prepare(ctx, engine.Image{Build: &engine.Build{For: "test of " + tt.tool, Build: spec.Build{
				Dockerfile: "Dockerfile", Files: []spec.File{{Path: "Dockerfile", Data: []byte(tt.dockerfile)}}}}}, io.Discard))
			space := must.Get(e.Open(ctx, "tool-test"))
			defer func() {
				must.Do(space.Close(context.WithoutCancel(ctx)))
			}()
			must.Get(space.Start(ctx, engine.Service{Service: spec.Service{Name: "service", Expose: []int{tt.port}},
				Image: image}))
			l := keys
			l.Target, l.Tool = tt.target, tt.tool
			tt.change(&l)
			m := must.Get(measureWith(ctx, t, inside{e, space}, d, Place{}, &plan.Trial{Name: "t", Load: &l}))
			if m.Failure != "" {
				t.Fatalf("%s\n%s", m.Failure, m.Log)
			}
			_, known := m.Histograms[tt.metric]
			if !known && !slices.ContainsFunc(m.Samples, func(s record.Sample) bool { return s.Metric == tt.metric }) {
				t.Errorf("no %s in %+v", tt.metric, m.Samples)
			}
			if m.Load.Completed < 10 || m.Load.Failed != 0 || m.Length < 100*time.Millisecond || m.Output == "" {
				t.Errorf("%+v in %v", m.Load, m.Length)
			}
			if all := fmt.Sprint(m.Facts, m.Output); strings.Contains(all, "hunter4pass") {
				t.Errorf("the password is in %s", all)
			}
			if m.Length > time.Second && m.Load.Busy <= 0 {
				t.Errorf("busy %v in %v", m.Load.Busy, m.Length)
			}
			if version := strings.Fields(m.Facts["tool.package"]); len(version) != 2 {
				t.Errorf("tool.package is %q", m.Facts["tool.package"])
			}
		})
	}
}

// inside is an engine whose spaces are groups of one space.
type inside struct {
	engine.Engine
	space engine.Space
}

func (i inside) Open(ctx context.Context, _ string) (engine.Space, error) { return i.space.Group(ctx) }
