package kubernetes

import (
	"bytes"
	"testing"

	"benchbook/runner/engine/agent"
)

// Of what is written nothing is lost but the greeting and the farewell, wherever it is cut.
func TestBetweenGreetingAndFarewell(t *testing.T) {
	const greeting, leave = "benchbook: hello", "token"
	farewell := agent.Farewell(leave)
	tests := []struct {
		name, written, want string
		left                bool
	}{
		{"once", greeting + "\nout\n", "out\n", false},
		{"again and again", greeting + "\n" + greeting + "\n" + greeting + "\nout", "out", false},
		{"nothing behind it", greeting + "\n", "", false},
		{"what begins like it", greeting + "\nbench", "bench", false},
		{"what is like it, later", greeting + "\nout\n" + greeting + "\n", "out\n" + greeting + "\n", false},
		{"a farewell", greeting + "\nout\n" + farewell, "out\n", true},
		{"a farewell in the middle of a line", greeting + "\nout" + farewell, "out", true},
		{"only a farewell", greeting + "\n" + farewell, "", true},
		{"what begins like a farewell", greeting + "\nout" + farewell[:len(farewell)-1], "out" + farewell[:len(farewell)-1],
			false},
		{"what begins like a farewell, and one", greeting + "\n" + farewell[:5] + farewell, farewell[:5], true},
		{"something behind a farewell", greeting + "\nout\n" + farewell + "late", "out\nlate", true},
	}
	for _, tt := range tests {
		for size := 1; size <= len(tt.written); size++ {
			var out bytes.Buffer
			g := newGreeted(greeting, leave, &out)
			for rest := []byte(tt.written); len(rest) > 0; {
				n := min(size, len(rest))
				if _, err := g.Write(rest[:n]); err != nil {
					t.Fatal(err)
				}
				rest = rest[n:]
			}
			if err := g.flush(); err != nil {
				t.Fatal(err)
			}
			if !closed(g.seen) {
				t.Errorf("%s: in pieces of %d, the greeting was not seen", tt.name, size)
			}
			if closed(g.left) != tt.left {
				t.Errorf("%s: in pieces of %d, a farewell was seen: %t, want %t", tt.name, size, !tt.left, tt.left)
			}
			if out.String() != tt.want {
				t.Errorf("%s: in pieces of %d, got %q, want %q", tt.name, size, out.String(), tt.want)
			}
		}
	}
}

// Names of users are those of the image, and numbers need none.
func TestNumbersOfUsers(t *testing.T) {
	const users = "root:x:0:0:root:/root:/bin/sh\npostgres:x:70:71:Linux User,,,:/var/lib/postgresql:/bin/sh\nbroken\n"
	tests := []struct {
		who      string
		uid, gid int64 // -1: none
	}{{"postgres", 70, 71}, {"70", 70, 71}, {"1000", 1000, -1}, {"nobody", -1, -1}}
	for _, tt := range tests {
		uid, gid, err := idsIn(tt.who, map[string][]byte{passwd: []byte(users)})
		if (err != nil) != (tt.uid == -1) {
			t.Errorf("%s: got the error %v", tt.who, err)
		}
		for _, n := range []struct {
			got  *int64
			want int64
		}{{uid, tt.uid}, {gid, tt.gid}} {
			if n.got == nil && n.want != -1 || n.got != nil && *n.got != n.want {
				t.Errorf("%s: got %v, want %d", tt.who, n.got, n.want)
			}
		}
	}
}
