package loadgen

import (
	"strings"
	"testing"
)

func TestVerifyEach(t *testing.T) {
	tests := []struct {
		name   string
		verify *Verify
		status int
		length int64
		want   string // in the error; empty for none
	}{
		{"nothing asked, 200", nil, 200, 5, ""},
		{"nothing asked, 299", &Verify{}, 299, 5, ""},
		{"nothing asked, 304", nil, 304, 0, "wanted a status of 200 to 299, got 304"},
		{"listed", &Verify{Status: []int{200, 503}}, 503, 0, ""},
		{"not listed", &Verify{Status: []int{200, 503}}, 204, 0, "wanted status 200 or 503, got 204"},
		{"right length", &Verify{Length: new(int64(0))}, 200, 0, ""},
		{"wrong length", &Verify{Length: new(int64(5))}, 200, 6, "wanted a body of 5 bytes, got 6"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			checkError(t, verifyEach(tt.verify, tt.status, tt.length), tt.want)
			if got := isRight(tt.verify, tt.status, tt.length); got != (tt.want == "") {
				t.Errorf("right is %v", got)
			}
		})
	}
}

func TestVerifyAll(t *testing.T) {
	const body = `{"ok": true, "id": 12345678901234567, "n": null, "items": [{"price": 5.0, "name": "x.y"}]}`
	json := func(path, value string) Verify { return Verify{JSON: map[string]string{path: value}} }
	header := func(name, value string) Verify { return Verify{Headers: map[string]string{name: value}} }
	tests := []struct {
		name   string
		verify Verify
		body   string
		want   string // in the error; empty for none
	}{
		{"nothing asked", Verify{}, "", ""},
		{"contained", Verify{Contains: "Hello"}, "<h1>Hello</h1>", ""},
		{"not contained", Verify{Contains: "Hello"}, "hello", `wanted a body that contains "Hello"`},
		{"matching", Verify{Match: `(?m)^l+o$`}, "he\nllo\n", ""},
		{"not matching", Verify{Match: `^l`}, "hello", `wanted a body that matches "^l"`},
		{"header", header("content-type", "text/html"), "", ""},
		{"one of several headers", header("Set-Cookie", "b=2"), "", ""},
		{"another value of a header", header("Content-Type", "text/plain"), "",
			`wanted header Content-Type: "text/plain", got "text/html"`},
		{"no such header", header("Etag", ""), "", `got none`},
		{"true", json("ok", "true"), body, ""},
		{"null", json("n", "null"), body, ""},
		{"long integer", json("id", "12345678901234567"), body, ""},
		{"number of the same value", json("items.0.price", "5"), body, ""},
		{"string", json("items.0.name", "x.y"), body, ""},
		{"another value", json("ok", "false"), body, "wanted ok = false in the JSON body, got true"},
		{"no such key", json("items.0.size", "1"), body, `there is no "size"`},
		{"no such index", json("items.1", "1"), body, `there is no "1" in a list of 1`},
		{"an index that is none", json("items.first", "1"), body, `there is no "first" in a list of 1`},
		{"a step too far", json("ok.0", "1"), body, `there is no "0" in a single value`},
		{"not far enough", json("items", "1"), body, "not a single value"},
		{"no JSON", json("ok", "true"), "<html>", "wanted a body in JSON"},
		{"more than JSON", json("ok", "true"), body + "x", "something after it"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, err := newBody(&tt.verify)
			if err != nil {
				t.Fatal(err)
			}
			b.take([]byte(tt.body))
			b.end()
			checkError(t, verifyAll(&tt.verify, &whole{
				fields: []field{{"Content-Type", "text/html"}, {"Set-Cookie", "a=1"}, {"Set-Cookie", "b=2"}},
				body:   b,
			}), tt.want)
		})
	}
}

// checkError wants an error with some text in it, or none if the text is empty.
func checkError(t *testing.T, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("got %v, want no error", err)
	case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
		t.Errorf("got %v, want an error with %q", err, want)
	}
}
