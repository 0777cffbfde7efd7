package kubernetes

import (
	"bytes"
	"testing"
)

// Of what is written nothing is lost but the greeting, wherever it is cut.
func TestBehindGreeting(t *testing.T) {
	const greeting = "benchbook: hello"
	tests := []struct{ name, written, want string }{
		{"once", greeting + "\nout\n", "out\n"},
		{"again and again", greeting + "\n" + greeting + "\n" + greeting + "\nout", "out"},
		{"nothing behind it", greeting + "\n", ""},
		{"what begins like it", greeting + "\nbench", "bench"},
		{"what is like it, later", greeting + "\nout\n" + greeting + "\n", "out\n" + greeting + "\n"},
	}
	for _, tt := range tests {
		for size := 1; size <= len(tt.written); size++ {
			var out bytes.Buffer
			g := &greeted{greeting: []byte(greeting + "\n"), seen: make(chan struct{}), w: &out}
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
			select {
			case <-g.seen:
			default:
				t.Errorf("%s: in pieces of %d, the greeting was not seen", tt.name, size)
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
		uid, gid := numbers([]byte(users), tt.who, 2, 3)
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
