package loadtool

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"benchbook/notebook/spec"
)

func TestLines(t *testing.T) {
	http := func(change func(*spec.Load)) *spec.Load {
		l := &spec.Load{Target: "http://server/x?y=1", Method: "GET", Connections: 10, Duration: 5 * time.Second,
			Timeout: 10 * time.Second, Keepalive: true}
		if change != nil {
			change(l)
		}
		return l
	}
	counted := func(l *spec.Load) { l.Duration, l.Requests, l.Keepalive = 0, 100, false }
	posted := func(l *spec.Load) {
		l.Method, l.Body, l.Headers = "PUT", "it's \"x\"\n", map[string]string{"X-A": "b c", "content-type": "a/b",
			"Host": "me"}
	}
	database := &spec.Load{Target: "postgres://ann:hunter%204@db/shop", Connections: 4, Duration: 5 * time.Second,
		Keepalive: true, Body: "select 1"}
	cache := &spec.Load{Target: "redis://ann:hunter%204@cache:7000/2", Connections: 4, Requests: 1000, Threads: 2,
		Args: []string{"-t", "get"}}
	for _, tt := range []struct {
		name, tool  string
		load        *spec.Load
		line        string
		environment string
		file        string
	}{
		{"time", "ab", http(nil), "ab -t 5 -n 10000000 -c 10 -s 10 -k 'http://server:80/x?y=1'", "", ""},
		{"requests", "ab", http(counted), "ab -n 100 -c 10 -s 10 'http://server:80/x?y=1'", "", ""},
		{"requests for a time", "ab", http(func(l *spec.Load) { l.Requests = 7 }),
			"ab -t 5 -n 7 -c 10 -s 10 -k 'http://server:80/x?y=1'", "", ""},
		{"a body", "ab", http(posted),
			"ab -t 5 -n 10000000 -c 10 -s 10 -k -H 'Host: me' -H 'X-A: b c' -p /benchbook/body -T a/b -m PUT " +
				"'http://server:80/x?y=1'", "", "it's \"x\"\n"},
		{"TLS", "ab", http(func(l *spec.Load) { l.Target = "https://server" }),
			"ab -t 5 -n 10000000 -c 10 -s 10 -k https://server:443/", "", ""},
		{"heads", "ab", http(func(l *spec.Load) { l.Method = "HEAD" }),
			"ab -t 5 -n 10000000 -c 10 -s 10 -k -i 'http://server:80/x?y=1'", "", ""},
		{"words of the author", "ab", http(func(l *spec.Load) {
			l.Target, l.Args = "http://server:8080",
				[]string{"-r", "-l"}
		}),
			"ab -t 5 -n 10000000 -c 10 -s 10 -k -r -l http://server:8080/", "", ""},
		{"time", "wrk", http(nil), "wrk -t 2 -c 10 -d 5s --timeout 10s --latency 'http://server:80/x?y=1'", "", ""},
		{"threads that connections cannot be shared by", "wrk", http(func(l *spec.Load) { l.Connections = 9 }),
			"wrk -t 3 -c 9 -d 5s --timeout 10s --latency 'http://server:80/x?y=1'", "", ""},
		{"without keep-alive", "wrk", http(func(l *spec.Load) { l.Keepalive = false }),
			"wrk -t 2 -c 10 -d 5s --timeout 10s --latency -H 'Connection: close' 'http://server:80/x?y=1'", "", ""},
		{"a body", "wrk", http(posted),
			"wrk -t 2 -c 10 -d 5s --timeout 10s --latency -H 'Host: me' -H 'X-A: b c' -H 'content-type: a/b' -s " +
				"/benchbook/load.lua 'http://server:80/x?y=1'", "",
			"wrk.method = \"PUT\"\nwrk.body = \"it\\039s \\034x\\034\\010\"\n"},
		{"time", "hey", http(nil), "hey -z 5s -c 10 -t 10 -cpus 3 'http://server:80/x?y=1'", "", ""},
		{"requests", "hey", http(counted),
			"hey -n 100 -o csv -c 10 -t 10 -cpus 3 -disable-keepalive 'http://server:80/x?y=1'", "", ""},
		{"a body", "hey", http(posted),
			"hey -z 5s -c 10 -t 10 -cpus 3 -m PUT -host me -H 'X-A: b c' -H 'content-type: a/b' -D /benchbook/body " +
				"'http://server:80/x?y=1'", "", "it's \"x\"\n"},
		{"time", "pgbench", database,
			"pgbench -h db -p 5432 -U ann -c 4 -j 3 -T 5 -l --log-prefix=/tmp/benchbook -n -f /benchbook/body shop",
			"PGPASSWORD=hunter 4", "select 1"},
		{"requests", "redis-benchmark", cache,
			"redis-benchmark -h cache -p 7000 --user ann --dbnum 2 -n 1000 -c 4 --threads 2 -k 0 --csv -t get",
			"REDISCLI_AUTH=hunter 4", ""},
	} {
		t.Run(tt.tool+" "+tt.name, func(t *testing.T) {
			tool, _ := Find(tt.tool)
			cores := 3
			if tt.tool == "wrk" && tt.load.Connections == 10 {
				cores = 2
			}
			c, err := tool.Program.Call(tt.load, cores)
			if err != nil {
				t.Fatal(err)
			}
			if got := c.Line(tt.tool, tt.load.Args); got != tt.line {
				t.Errorf("got  %s\nwant %s", got, tt.line)
			}
			if got := strings.Join(c.Environment, " "); got != tt.environment {
				t.Errorf("environment %q, want %q", got, tt.environment)
			}
			file := ""
			for _, f := range c.Files {
				file += string(f.Data)
			}
			if file != tt.file {
				t.Errorf("files\n%q, want\n%q", file, tt.file)
			}
			if strings.Contains(c.Line(tt.tool, nil), "hunter") || slices.ContainsFunc(c.Words(nil),
				func(w string) bool { return strings.Contains(w, "hunter") }) {
				t.Error("the password is in the line")
			}
		})
	}
}

// Each key that a tool has a flag for changes its line, by that flag.
func TestFlags(t *testing.T) {
	for _, tool := range Tools() {
		if tool.Program == nil {
			continue
		}
		flags := tool.Program.Flags
		base := spec.Load{Target: "http://s:1/", Method: "POST", Connections: 2, Threads: 1, Duration: time.Second,
			Timeout: time.Second, Keepalive: true, Body: "x"}
		if flags["duration"] == "" {
			base.Requests = 20
		}
		words := func(change func(*spec.Load)) []string {
			l := base
			change(&l)
			c, err := tool.Program.Call(&l, 1)
			if err != nil {
				t.Fatal(err)
			}
			return append(c.Words(nil), fmt.Sprint(c.Files))
		}
		for key, flag := range flags {
			change := map[string]func(*spec.Load){
				"connections": func(l *spec.Load) { l.Connections = 4 }, "threads": func(l *spec.Load) { l.Threads = 2 },
				"requests": func(l *spec.Load) { l.Requests = 40 }, "duration": func(l *spec.Load) { l.Duration = 3 * time.Second },
				"timeout":   func(l *spec.Load) { l.Timeout = 3 * time.Second },
				"keepalive": func(l *spec.Load) { l.Keepalive = false },
				"method":    func(l *spec.Load) { l.Method = "PUT" },
				"headers":   func(l *spec.Load) { l.Headers = map[string]string{"A": "b"} },
				"body":      func(l *spec.Load) { l.Body = "y" },
			}[key]
			if change == nil {
				if key != "warmup" && key != "verify" {
					t.Errorf("%s: nothing changes %s", tool.Name, key)
				}
				continue
			}
			before, changed := words(func(*spec.Load) {}), words(change)
			if slices.Equal(before, changed) {
				t.Errorf("%s: %s does not change the line %q", tool.Name, key, before)
			}
			if flag != "" && !slices.Contains(append(before, changed...), flag) {
				t.Errorf("%s: %s has no %s in %q or %q", tool.Name, key, flag, before, changed)
			}
		}
	}
}
