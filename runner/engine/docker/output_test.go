package docker

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"
)

// However output is cut into pieces, head keeps its beginning and tail its end.
func TestHeadAndTail(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		limit := 1 + random.IntN(20)
		h, last := &head{limit: limit}, &tail{limit: limit}
		var all string
		for range random.IntN(8) {
			piece := strings.Repeat(string(rune('a'+random.IntN(26))), random.IntN(2*limit+2))
			all += piece
			for _, w := range []interface{ Write([]byte) (int, error) }{h, last} {
				if n, err := w.Write([]byte(piece)); n != len(piece) || err != nil {
					t.Fatalf("Write = %d, %v, want %d", n, err, len(piece))
				}
			}
		}
		if want := all[:min(limit, len(all))]; string(h.data) != want {
			t.Fatalf("head %d of %q is %q", limit, all, h.data)
		}
		if want := all[max(0, len(all)-limit):]; string(last.Bytes()) != want {
			t.Fatalf("tail %d of %q is %q, want %q", limit, all, last.Bytes(), want)
		}
	}
}

func TestLastLines(t *testing.T) {
	tests := []struct{ output, want string }{
		{"", "    "},
		{"a\n", "    a"},
		{"a\nb\nc\n\n", "    b\n    c"},
	}
	for _, tt := range tests {
		if got := lastLines([]byte(tt.output), 2); got != tt.want {
			t.Errorf("lastLines(%q, 2) = %q, want %q", tt.output, got, tt.want)
		}
	}
}

func TestStepsPassOnInstructionsOnly(t *testing.T) {
	var log bytes.Buffer
	for _, message := range []string{"Step 1/2 : FROM debian", "\n", " ---> 5fd00f29a\n", "Step 2/2 : RUN make\n", "make: nothing to do\n"} {
		if n, err := (steps{&log}).Write([]byte(message)); n != len(message) || err != nil {
			t.Fatalf("%q: %d, %v", message, n, err)
		}
	}
	if got, want := log.String(), "Step 1/2 : FROM debian\nStep 2/2 : RUN make\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
