package engine

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// However output is cut into pieces, a Head keeps its beginning and a Tail its end.
func TestHeadAndTail(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		limit := 1 + random.IntN(20)
		full := 0
		h, last := &Head{Limit: limit, Full: func() { full++ }}, &Tail{Limit: limit}
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
		if want := all[:min(limit, len(all))]; string(h.Bytes()) != want {
			t.Fatalf("head %d of %q is %q", limit, all, h.Bytes())
		}
		if isFull := len(all) > limit; isFull != (full == 1) || full > 1 {
			t.Fatalf("head %d of %q was full %d times", limit, all, full)
		}
		if want := all[max(0, len(all)-limit):]; string(last.Bytes()) != want {
			t.Fatalf("tail %d of %q is %q, want %q", limit, all, last.Bytes(), want)
		}
	}
}

func TestLastLines(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"all", "one\ntwo\n", "one\ntwo\n"},
		{"whole lines", "the first\ntwo\nthree\n!", "three\n!"},
		{"one line", "one that is too long", "...s too long"},
		{"one line with its end", "one that is too long\n", "... too long\n"},
		{"a character", "one that is ü too long", "...\xbc too long"},
	} {
		if got := LastLines(test.text, 10); got != strings.ToValidUTF8(test.want, "") {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

func TestEndOf(t *testing.T) {
	if got := EndOf([]byte("a\nb\nc\n\n")); got != "    a\n    b\n    c" {
		t.Errorf("the last lines are %q", got)
	}
	if got := EndOf([]byte(strings.Repeat("x\n", 30))); strings.Count(got, "x") != 20 {
		t.Errorf("the last lines are %q", got)
	}
}
