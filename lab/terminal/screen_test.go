package terminal

import (
	"bytes"
	"testing"
)

func TestShortLine(t *testing.T) {
	for _, tt := range []struct {
		line  string
		width int
		want  string
	}{
		{"short", 10, "short"}, {"exactly", 7, "exactly"}, {"too long", 7, "too lo…"}, {"日本語", 5, "日本…"}, {"日本語", 6, "日本語"},
		{"\x1b[32mgreen\x1b[0m line", 6, "\x1b[32mgreen\x1b[0m…"}, {"e\u0301te\u0301", 3, "e\u0301te\u0301"}, {"", 5, ""},
	} {
		if got := shortLine(tt.line, tt.width); got != tt.want || Visible(got) > tt.width {
			t.Errorf("%q in %d: %q, want %q", tt.line, tt.width, got, tt.want)
		}
	}
}

// A screen shows lines in the place of those before, and what else is written above them.
func TestScreen(t *testing.T) {
	var out bytes.Buffer
	s := &Screen{W: &out, Width: func() int { return 11 }, Plain: true}
	s.Draw("one", "a line that is too long")
	if _, err := s.Write([]byte("said \x1b[2Jby others\n")); err != nil {
		t.Fatal(err)
	}
	s.Draw("two")
	s.Draw()
	if want := "one\na line th…\n\x1b[2A\x1b[Jsaid by others\ntwo\n\x1b[1A\x1b[J"; out.String() != want {
		t.Errorf("wrote %q, want %q", out.String(), want)
	}
	if got := s.Bar(0.5, 4); got != "██░░" {
		t.Errorf("bar %q", got)
	}
}
