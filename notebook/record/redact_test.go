package record

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestLooksSecret(t *testing.T) {
	for _, name := range []string{"DB_PASS", "PGPASS", "PGPASSWORD", "MYSQL_ROOT_PASSWORD", "dbPassword", "pwd", "DBPWD",
		"ENCRYPTION_KEY", "SIGNING_KEY",
		"X-Api-Key", "api_key", "apikey", "APIKEY", "AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "Cookie", "Set-Cookie",
		"Authorization",
		"Proxy-Authorization", "X-Auth-Token", "NPM_TOKEN", "token", "BASIC_AUTH", "client-secret", "PRIVATE_KEY",
		"X-Amz-Signature", "--password",
		"bearer", "cred", "db-creds", "private", "passphrase", "credential", "accesskey", "privatekey", "jwt", "MYAUTH",
		"mytoken",
		"GITHUB_PAT", "AZURE_DEVOPS_EXT_PAT", "SENTRY_DSN", "CONN_STR", "ConnectionStrings__Default",
		"AZURE_STORAGE_CONNECTION_STRING", "PHPSESSID",
		"session_id", "BW_SESSION", "AZURE_SAS", "SAS_URL", "TS_AUTHKEY", "LICENSEKEY", "SECRETKEY", "API_KEYS",
		"REFRESH_TOKENS", "SLACK_WEBHOOK_URL", "sig",
		"MYSQL_PWD", "HTPASSWD", "GOOGLE_CREDENTIALS", "REDISCLI_AUTH", "DOCKER_AUTH_CONFIG", "SECRET_KEY_BASE", "PASSCODE"} {
		if !LooksSecret(name) {
			t.Errorf("%s does not look secret", name)
		}
	}
	for _, name := range []string{"", "MODE", "AUTHOR", "POSTGRES_HOST_AUTH_METHOD", "POSTGRES_PASSWORD_FILE",
		"PGPASSFILE", "MAX_TOKENS", "TOKENIZER",
		"TOKEN_COUNT", "SORT_KEY", "PUBLIC_KEY", "primary-key", "key", "KEYS", "Sec-WebSocket-Key", "BYPASS", "PWD", "OLDPWD",
		"MONKEY", "no-password", "x",
		"PATH", "GOPATH", "PATTERN", "PATCH", "SESSIONS", "SESSION_TIMEOUT", "PAT_COUNT", "CONNECTIONS", "CONNECTION_LIMIT",
		"STRING", "SIGTERM", "STOP_SIGNAL",
		"SASL_MODE", "TURKEY", "MAX_CONN", "COMPAT"} {
		if LooksSecret(name) {
			t.Errorf("%s looks secret", name)
		}
	}
}

func TestText(t *testing.T) {
	r := &Redactor{}
	r.Learn("DB_PASSWORD", "hunter3password")
	r.Learn("DB_PASS", "hunter3pass")
	r.Learn("API_KEY", "a b/c&d=e")
	r.Learn("HOST_AUTH", "trust")
	r.Learn("MODE", "fast mode of it")
	tests := []struct{ name, text, want string }{
		{"nothing", "plain words, and key=value", "plain words, and key=value"},
		{"a known value", "login hunter3password failed", "login [redacted] failed"},
		{"one that begins another", "hunter3pass hunter3password", "[redacted] [redacted]"},
		{"one in a URL", "x=a+b%2Fc%26d%3De a%20b%2Fc&d=e", "x=[redacted] [redacted]"},
		{"a switch", "Popen(words, start_new_session=True)", "Popen(words, start_new_session=True)"},
		{"a short one", "echo trust", "echo trust"},
		{"no secret", "fast mode of it", "fast mode of it"},
		{"a Bearer", "curl -H 'Authorization: Bearer abc' http://x/", "curl -H 'Authorization: [redacted]' http://x/"},
		{"a Bearer alone", "sent bearer eyJhbGciOi.J9.x-y_z", "sent bearer [redacted]"},
		{"a header", `curl -H "X-Api-Key: abc" http://x/`, `curl -H "X-Api-Key: [redacted]" http://x/`},
		{"a cookie", "Cookie: a=1; b=2\nnext", "Cookie: [redacted]\nnext"},
		{"a query", "http://server:8080/?a=1&api_key=qwerty&b=2", "http://server:8080/?a=1&api_key=[redacted]&b=2"},
		{"a query with a word", "http://server/?token=abc&b=2", "http://server/?token=[redacted]&b=2"},
		{"a password in a URL", "postgres://me:pw@db/x redis://:pw@cache",
			"postgres://me:[redacted]@db/x redis://:[redacted]@cache"},
		{"a password with an @", "postgres://me:p@ss@db/x?to=you@home", "postgres://me:[redacted]@db/x?to=you@home"},
		{"a token in a URL", "https://0123456789abcdef@git.example/x.git ssh://git@git.example/x",
			"https://[redacted]@git.example/x.git ssh://git@git.example/x"},
		{"tokens by their look", "with ghp_0123456789abcdefghijABCDEFGHIJ012345 and glpat-0123456789_abcdefghi-.",
			"with [redacted] and [redacted]."},
		{"a DSN", "host=db password=pw dbname=x", "host=db password=[redacted] dbname=x"},
		{"a DSN with semicolons", "Server=db;Pwd=pw;Database=x", "Server=db;Pwd=[redacted];Database=x"},
		{"an option", "mysql --password=zzz -u root", "mysql --password=[redacted] -u root"},
		{"an option and the next word", "mysql --password zzz -u root", "mysql --password [redacted] -u root"},
		{"an option that has no value", "psql --no-password -h db; tool --password -x",
			"psql --no-password -h db; tool --password -x"},
		{"an assignment", "PGPASSWORD=pw psql; export S3_SECRET='a b'",
			"PGPASSWORD=[redacted] psql; export S3_SECRET=[redacted]"},
		{"JSON", `{"token": "abc", "n": 1}`, `{"token": [redacted], "n": 1}`},
		{"words of a log", "parse error near token: foo, pass=3 fail=0, auth: ok",
			"parse error near token: foo, pass=3 fail=0, auth: ok"},
		{"a private key", "-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc=\n-----END RSA PRIVATE KEY-----\n",
			"-----BEGIN RSA PRIVATE KEY-----[redacted]-----END RSA PRIVATE KEY-----\n"},
		{"a variable", `login --password "$PASS" --token=${TOKEN} X-Api-Key: ${{ matrix.k }}`,
			`login --password "$PASS" --token=${TOKEN} X-Api-Key: ${{ matrix.k }}`},
		{"an image", "registry:5000/x@sha256:0123", "registry:5000/x@sha256:0123"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := r.Text(test.text); got != test.want {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
		})
	}
}

func TestRedact(t *testing.T) {
	r := sample()
	r.Definition = []byte(`{"services":[{"name":"postgres","image":{"name":"postgres:16","build":{"files":null,"dockerfile":"Dockerfile",` +
		`"args":{"NPM_TOKEN":"x1"}}},"command":["sh","-c","echo trust; echo hunter2pass; psql -U postgres"],"environment":["DB_PASS=hunter2pass",` +
		`"POSTGRES_PASSWORD=postgres","PIN_SECRET=123","EMPTY_SECRET=","HOST_AUTH=trust","POSTGRES_HOST_AUTH_METHOD=trust","URL=postgres://a:b@db/",` +
		`"MODE=hunter2pass"]}],"load":{"target":"http://postgres/?api_key=q","headers":{"X-Api-Key":"h1","Cookie":"c=1","Accept":"text/html"},` +
		`"duration":1000000000000000001,"args":["--token","t1","--verbose","--key"]}}`)
	r.Inputs = []Input{{"definition", "digest of all of it"}, {"semantics", "1"}}
	r.Parameters = []Parameter{{"db-password", "p1"}, {"auth", "basic"}, {"mode", "hunter2pass"}}
	r.Labels = []Parameter{{"api_key", "l1"}}
	r.Failure, r.Log = "hunter2pass was wrong", "trust me: hunter2pass"
	r.Redact(nil, nil)

	const want = `{"load":{"args":["--token","[redacted]","--verbose","--key"],"duration":1000000000000000001,` +
		`"headers":{"Accept":"text/html","Cookie":"[redacted]","X-Api-Key":"[redacted]"},"target":"http://postgres/?api_key=[redacted]"},` +
		`"services":[{"command":["sh","-c","echo trust; echo [redacted]; psql -U postgres"],"environment":["DB_PASS=[redacted]",` +
		`"POSTGRES_PASSWORD=[redacted]","PIN_SECRET=[redacted]","EMPTY_SECRET=","HOST_AUTH=[redacted]","POSTGRES_HOST_AUTH_METHOD=trust",` +
		`"URL=postgres://a:[redacted]@db/","MODE=[redacted]"],"image":{"build":{"args":{"NPM_TOKEN":"[redacted]"},"dockerfile":"Dockerfile",` +
		`"files":null},"name":"postgres:16"},"name":"postgres"}]}`
	if got := string(r.Definition); got != want {
		t.Errorf("the definition is\n%s, want\n%s", got, want)
	}
	if r.Failure != "[redacted] was wrong" || r.Log != "trust me: [redacted]" {
		t.Errorf("failure %q, log %q", r.Failure, r.Log)
	}
	if p := r.Parameters; p[0].Value != Redacted || p[1].Value != "basic" || p[2].Value != Redacted ||
		r.Labels[0].Value != Redacted {
		t.Errorf("parameters %+v, labels %+v", r.Parameters, r.Labels)
	}
}

// Names of hosts are taken out of what programs wrote; those that look like words only where they can be nothing else.
// What a step extracts is a place in an answer, whatever it is called.
func TestExtractionsAreNoSecrets(t *testing.T) {
	const definition = `{"load":{"steps":[{"extract":{"api_key":"json:access.token"},"headers":{"X-Token":"hunter2secret"}}]}}`
	got := string(NewRedactor(json.RawMessage(definition)).Definition(json.RawMessage(definition)))
	if !strings.Contains(got, `"api_key":"json:access.token"`) || strings.Contains(got, "hunter2") {
		t.Errorf("got %s", got)
	}
	const failure = `step "login": nothing to extract as "api_key" (access.token in the JSON body: there is no "token")`
	if got := new(Redactor).Text(failure); got != failure {
		t.Errorf("got %s", got)
	}
}

func TestRedactHosts(t *testing.T) {
	hosts := []string{"mirror", "apt-cache", "server", "pypi.corp.example"}
	for _, test := range []struct{ name, text, want string }{
		{"with a dot, anywhere", "reached PyPI.corp.example at last", "reached [redacted] at last"},
		{"in a URL", "Err:1 http://mirror/debian bookworm", "Err:1 http://[redacted]/debian bookworm"},
		{"in a URL with a port", "GET http://joe@Mirror:8080/x", "GET http://joe@[redacted]:8080/x"},
		{"at the end of a URL", "GET http://apt-cache", "GET http://[redacted]"},
		{"that cannot be resolved", "Temporary failure resolving 'mirror'", "Temporary failure resolving '[redacted]'"},
		{"at the end of a sentence", "Could not resolve host: mirror.", "Could not resolve host: [redacted]."},
		{"as an argument", "HTTPConnectionPool(host='apt-cache', port=3141)",
			"HTTPConnectionPool(host='[redacted]', port=3141)"},
		{"that cannot be reached", "could not connect to apt-cache:3142", "could not connect to [redacted]:3142"},
		{"a word", "the mirror of apt-cache is a mirror", "the mirror of apt-cache is a mirror"},
		{"part of another name", "http://mirror-2/ http://mirrors/ http://mirror.example/ http://my-mirror/",
			"http://mirror-2/ http://mirrors/ http://mirror.example/ http://my-mirror/"},
		{"of a service", "GET http://server/ and could not resolve server",
			"GET http://server/ and could not resolve server"},
	} {
		r := sample()
		r.Definition, r.Log = []byte(`{"services":[{"name":"server"}]}`), test.text
		if r.Redact(hosts, nil); r.Log != test.want {
			t.Errorf("%s: got  %q\nwant %q", test.name, r.Log, test.want)
		}
	}
}

// The values of secrets are taken out as programs write them, also what is left of them where a text was cut.
func TestRedactSecrets(t *testing.T) {
	secrets := []string{"first line of it\nüber the second\n", "abcd", "  \n", "token-ü-12"}
	for _, test := range []struct{ name, text, want string }{
		{"whole", "it is first line of it\nüber the second.", "it is [redacted]."},
		{"quoted", `it is "first line of it\nüber the second"`, `it is "[redacted]"`},
		{"in a URL", "http://x/?q=first+line+of+it", "http://x/?q=[redacted]"},
		{"a line", "über the second and others", "[redacted] and others"},
		{"a short one", "abcde", "[redacted]e"},
		{"cut", `got "first line o..."`, `got "[redacted]..."`},
		{"cut by an ellipsis", "got first line o…", "got [redacted]…"},
		{"cut in a character", `got "token-\xc3..."`, `got "[redacted]\xc3..."`},
		{"cut at the start", "...the second\nand others", "...[redacted]\nand others"},
		{"cut elsewhere", "the first line o and the...rest", "the first line o and the...rest"},
	} {
		r := sample()
		r.Definition, r.Log = []byte(`{}`), test.text
		if r.Redact(nil, secrets); r.Log != test.want {
			t.Errorf("%s: got  %q\nwant %q", test.name, r.Log, test.want)
		}
	}
}

// Whoever knows a record must not be able to try passwords on the digest of its definition.
func TestDigestOfADefinitionTellsNothingOfSecrets(t *testing.T) {
	digest := func(definition string) string {
		inputs := []Input{{"definition", "whole " + definition}, {"semantics", "1"}}
		return NewRedactor(json.RawMessage(definition)).Inputs(inputs, json.RawMessage(definition))[0].Digest
	}
	one, other := digest(`{"environment":["PASSWORD=one"],"run":"x"}`),
		digest(`{"environment":["PASSWORD=another"],"run":"x"}`)
	if one != other {
		t.Error("the digest depends on the password")
	}
	if one == digest(`{"environment":["PASSWORD=one"],"run":"y"}`) {
		t.Error("the digest does not depend on the rest")
	}
	const open = `{"run": "a < b", "n": 1.50}`
	if got := digest(open); got != "whole "+open {
		t.Errorf("without secrets it is %q", got)
	}
}
