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
	const k6Line = "k6 run --quiet --no-usage-report --summary-trend-stats " +
		"'avg,max,p(50),p(75),p(90),p(95),p(99),p(99.9)' --discard-response-bodies --insecure-skip-tls-verify "
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
			"hey -n 100 -c 10 -t 10 -cpus 3 -disable-keepalive 'http://server:80/x?y=1'", "", ""},
		{"a body", "hey", http(posted),
			"hey -z 5s -c 10 -t 10 -cpus 3 -m PUT -host me -H 'X-A: b c' -H 'content-type: a/b' -D /benchbook/body " +
				"'http://server:80/x?y=1'", "", "it's \"x\"\n"},
		{"time", "vegeta", http(nil), "vegeta -cpus 3 attack -rate 0 -workers 10 -max-workers 10 -connections 10 " +
			"-duration 5s -timeout 10s -redirects -1 -max-body 0 -http2=false -insecure -targets /benchbook/targets", "",
			"GET http://server:80/x?y=1\n"},
		{"a rate and a body", "vegeta", http(func(l *spec.Load) { posted(l); l.Rate, l.Keepalive = 500, false }),
			"vegeta -cpus 3 attack -rate 500/1s -workers 10 -max-workers 10 -connections 10 -duration 5s -timeout 10s " +
				"-redirects -1 -max-body 0 -http2=false -insecure -keepalive=false -header 'Host: me' -header 'X-A: b c' " +
				"-header 'content-type: a/b' -body /benchbook/body -targets /benchbook/targets", "",
			"it's \"x\"\nPUT http://server:80/x?y=1\n"},
		{"a rate with a fraction", "vegeta", http(func(l *spec.Load) { l.Rate, l.Duration = 0.25, 1500*time.Millisecond }),
			"vegeta -cpus 3 attack -rate 250/1000s -workers 10 -max-workers 10 -connections 10 -duration 1500ms -timeout 10s " +
				"-redirects -1 -max-body 0 -http2=false -insecure -targets /benchbook/targets", "",
			"GET http://server:80/x?y=1\n"},
		{"time", "oha", http(nil), "oha --no-tui --output-format json -c 10 -z 5s -t 10s --redirect 0 " +
			"--disable-compression --insecure 'http://server:80/x?y=1'", "", ""},
		{"requests", "oha", http(counted), "oha --no-tui --output-format json -c 10 -n 100 -t 10s --redirect 0 " +
			"--disable-compression --insecure --disable-keepalive 'http://server:80/x?y=1'", "", ""},
		{"a rate and a body", "oha", http(func(l *spec.Load) { posted(l); l.Rate = 500 }),
			"oha --no-tui --output-format json -c 10 -z 5s -q 500 --latency-correction -t 10s --redirect 0 " +
				"--disable-compression --insecure -m PUT -H 'Host: me' -H 'X-A: b c' -H 'content-type: a/b' -D /benchbook/body " +
				"'http://server:80/x?y=1'", "", "it's \"x\"\n"},
		{"time", "fortio", http(nil), "fortio load -c 10 -qps 0 -t 5s -timeout 10s -gomaxprocs 3 -json - -p " +
			"50,75,90,95,99,99.9 -r 0.00001 -allow-initial-errors -log-errors=false -k 'http://server:80/x?y=1'", "", ""},
		{"requests", "fortio", http(counted), "fortio load -c 10 -qps 0 -n 100 -timeout 10s -gomaxprocs 3 -json - -p " +
			"50,75,90,95,99,99.9 -r 0.00001 -allow-initial-errors -log-errors=false -k -keepalive=false " +
			"'http://server:80/x?y=1'", "", ""},
		{"a rate and a body", "fortio", http(func(l *spec.Load) { posted(l); l.Rate = 0.5 }),
			"fortio load -c 10 -qps 0.5 -t 5s -uniform -timeout 10s -gomaxprocs 3 -json - -p 50,75,90,95,99,99.9 -r 0.00001 " +
				"-allow-initial-errors -log-errors=false -k -X PUT -H 'Host: me' -H 'X-A: b c' -H 'content-type: a/b' " +
				"-payload-file /benchbook/body 'http://server:80/x?y=1'", "", "it's \"x\"\n"},
		{"a connection for each request over TLS", "fortio", http(func(l *spec.Load) {
			l.Target, l.Keepalive = "https://server/", false
		}), "fortio load -c 10 -qps 0 -t 5s -timeout 10s -gomaxprocs 3 -json - -p 50,75,90,95,99,99.9 -r 0.00001 " +
			"-allow-initial-errors -log-errors=false -k -stdclient -keepalive=false https://server:443/", "", ""},
		{"time", "k6", http(nil), k6Line + "--vus 10 --duration 5s /benchbook/load.js", "", fmt.Sprintf(k6Script,
			`["GET","http://server:80/x?y=1",null,{"headers":null,"redirects":0,"timeout":"10s"}]`)},
		{"requests", "k6", http(counted),
			k6Line + "--vus 10 --iterations 100 --duration 86400s --no-connection-reuse /benchbook/load.js", "",
			fmt.Sprintf(k6Script, `["GET","http://server:80/x?y=1",null,{"headers":null,"redirects":0,"timeout":"10s"}]`)},
		{"a rate and a body", "k6", http(func(l *spec.Load) { posted(l); l.Rate, l.Target = 2.5, "https://server" }),
			k6Line + `-e 'OPTIONS={"scenarios":{"load":{"duration":"5s","executor":"constant-arrival-rate","maxVUs":10,` +
				`"preAllocatedVUs":10,"rate":2500,"timeUnit":"1000s"}}}' /benchbook/load.js`, "GODEBUG=http2client=0",
			fmt.Sprintf(k6Script, `["PUT","https://server:443/","it's \"x\"\n",{"headers":{"Host":"me","X-A":"b c","content-type":"a/b"},`+
				`"redirects":0,"timeout":"10s"}]`)},
		{"a script", "k6", http(func(l *spec.Load) {
			l.Script = &spec.File{Path: "/benchbook/script.js", Data: []byte("export default () => {};\n")}
		}), "k6 run --quiet --no-usage-report --summary-trend-stats 'avg,max,p(50),p(75),p(90),p(95),p(99),p(99.9)' " +
			"--insecure-skip-tls-verify --vus 10 --duration 5s -e 'TARGET=http://server:80/x?y=1' /benchbook/load.js", "",
			"export default () => {};\n" + k6Wrapper},
		{"a script", "wrk", http(func(l *spec.Load) {
			l.Script = &spec.File{Path: "/benchbook/script.lua", Data: []byte("wrk.path = \"/y\"\n")}
		}), "wrk -t 2 -c 10 -d 5s --timeout 10s --latency -s /benchbook/script.lua 'http://server:80/x?y=1'", "",
			"wrk.path = \"/y\"\n"},
		{"time", "h2load", http(nil), "h2load --h1 -c 10 -t 3 -D 5s 'http://server:80/x?y=1'", "", ""},
		{"requests", "h2load", http(func(l *spec.Load) { l.Duration, l.Requests = 0, 100 }),
			"h2load --h1 -c 10 -t 3 -n 100 'http://server:80/x?y=1'", "", ""},
		{"a body", "h2load", http(posted),
			"h2load --h1 -c 10 -t 3 -D 5s -d /benchbook/body -H ':method: PUT' -H 'Host: me' -H 'X-A: b c' -H " +
				"'content-type: a/b' 'http://server:80/x?y=1'", "", "it's \"x\"\n"},
		{"time", "pgbench", database,
			"pgbench -h db -p 5432 -U ann -c 4 -j 3 -T 5 -l --log-prefix=/tmp/benchbook -n -f /benchbook/body shop",
			"PGPASSWORD=hunter 4", "select 1"},
	} {
		t.Run(tt.tool+" "+tt.name, func(t *testing.T) {
			tool, _ := Find(tt.tool)
			cores := 3
			if tt.tool == "wrk" && tt.load.Connections == 10 {
				cores = 2
			}
			c, err := tool.Call(tt.load, cores)
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
		flags := tool.Flags
		base := spec.Load{Target: "http://s:1/", Method: "POST", Connections: 2, Threads: 1, Duration: time.Second,
			Timeout: time.Second, Keepalive: true, Body: "x"}
		if flags["duration"] == "" {
			base.Requests = 20
		}
		words := func(change func(*spec.Load)) []string {
			l := base
			change(&l)
			c, err := tool.Call(&l, 1)
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
				"rate":      func(l *spec.Load) { l.Rate = 7 },
				"script":    func(l *spec.Load) { l.Script = &spec.File{Path: "/script"} },
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
			if flag != "" && !slices.ContainsFunc(append(before, changed...),
				func(w string) bool { return w == flag || strings.HasPrefix(w, flag+"=") }) {
				t.Errorf("%s: %s has no %s in %q or %q", tool.Name, key, flag, before, changed)
			}
		}
	}
}
