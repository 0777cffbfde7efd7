package load

import (
	"context"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"benchbook/internal/slowtest"
	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/spec"
	"benchbook/runner/engine"
	"benchbook/runner/engine/docker"
	"benchbook/runner/engine/enginetest"
)

var compile = flag.Bool("compile", false, "run tools whose images take minutes to build as well")

// Each tool runs in its own container against a service of its kind, and reports the right numbers.
func TestRealTools(t *testing.T) {
	slowtest.SkipSequential(t)
	ctx := t.Context()
	e, err := docker.New(ctx, nil)
	enginetest.Need(t, "engine", err)
	defer e.Close()
	program := enginetest.Agent(t)
	// By default nginx closes a kept connection after a thousand requests, and then one run of h2load in twenty-five does
	// not end.
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
		target string
	}
	const plain, secure = "http://web:8080/", "https://web:8443/"
	posting := func(l *spec.Load) { l.Method, l.Body = "POST", "x" }
	onSchedule := func(l *spec.Load) { l.Rate, l.Arrivals = 200, "constant" }
	closing := func(l *spec.Load) { l.Keepalive = false }
	space := must.Get(e.Open(ctx, "tool-test"))
	defer func() {
		must.Do(space.Close(context.WithoutCancel(ctx)))
	}()
	for _, s := range []struct {
		name, dockerfile string
		ports            []int
	}{{"web", web, []int{8080, 8443}}, {"database", database, []int{5432}}} {
		image := must.Get(e.Prepare(ctx, engine.Image{Build: &engine.Build{For: "test of tools", Build: spec.Build{
			Dockerfile: "Dockerfile", Files: []spec.File{{Path: "Dockerfile", Data: []byte(s.dockerfile)}}}}}, io.Discard))
		must.Get(space.Start(ctx, engine.Service{Service: spec.Service{Name: s.name, Expose: s.ports}, Image: image}))
	}
	for _, tt := range []row{
		{"pgbench", func(l *spec.Load) { l.Body = "select 1;" }, "latency", false,
			"postgres://postgres:hunter4pass@database/postgres"},
		{"ab", func(l *spec.Load) { l.Args = []string{"-l"} }, "latency.p99", false, plain},
		// Over TLS with a self-signed certificate. Package loadtool tests the command lines for either.
		{"ab", func(*spec.Load) {}, "latency.p99", false, secure},
		{"wrk", posting, "latency.p99", false, secure},
		{"hey", func(l *spec.Load) { l.Warmup = time.Second }, "latency.p99", false, secure},
		{"vegeta", onSchedule, "service.p99", false, secure},
		{"oha", onSchedule, "latency.p99", true, secure},
		{"k6", posting, "latency.p99", true, secure},
		{"fortio", closing, "latency.p99", true, plain},
		{"fortio", closing, "latency.p99", true, secure},
		{"h2load", func(l *spec.Load) { l.Headers = map[string]string{"A": "b"} }, "latency", false, secure},
	} {
		if tt.isSlow && !*compile {
			continue
		}
		t.Run(tt.tool+" "+tt.target[:5], func(t *testing.T) {
			l := keys
			l.Target, l.Tool = tt.target, tt.tool
			tt.change(&l)
			m := must.Get(measureWith(ctx, t, inside{e, space}, Tools(program)[tt.tool], Place{},
				&plan.Trial{Name: "t", Load: &l}))
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
			assert.Lacks(t, fmt.Sprint(m.Facts, m.Output), "hunter4pass")
			if m.Length > time.Second && m.Load.Busy <= 0 {
				t.Errorf("busy %v in %v", m.Load.Busy, m.Length)
			}
			assert.Equal(t, len(strings.Fields(m.Facts["tool.package"])), 2, "words of %q", m.Facts["tool.package"])
		})
	}
}

// inside is an engine whose spaces are groups of one space.
type inside struct {
	engine.Engine
	space engine.Space
}

func (i inside) Open(ctx context.Context, _ string) (engine.Space, error) { return i.space.Group(ctx) }
