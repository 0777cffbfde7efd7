package terminal

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/rivo/uniseg"
)

// Narrowest is the width of a terminal, in characters, below which lines are written as to a file.
const Narrowest = 30

// A Screen keeps some lines at the end of a terminal and writes them anew, with everything else above them. All that is
// to be seen goes to the terminal in one piece, so that it does not flicker. Its methods may be called from several
// goroutines.
type Screen struct {
	W     io.Writer
	Width func() int // of the terminal, in characters
	Plain bool       // no colours

	mu    sync.Mutex
	shown int // lines that stand there
}

// Write writes text above the lines, which disappear until they are drawn again. It is cleaned from what controls a
// terminal.
func (s *Screen) Write(text []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out bytes.Buffer
	s.erase(&out)
	out.Write(cleaned(text))
	if _, err := s.W.Write(out.Bytes()); err != nil {
		return 0, err
	}
	return len(text), nil
}

// Draw shows lines in the place of those that it showed before; nothing, if there are none. Each is cut to the width.
func (s *Screen) Draw(lines ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out bytes.Buffer
	s.erase(&out)
	width := s.Width() - 1 // in the last column some terminals begin a new line
	for _, line := range lines {
		out.WriteString(shortLine(line, width))
		out.WriteByte('\n')
	}
	s.shown = len(lines)
	if out.Len() > 0 {
		_, _ = s.W.Write(out.Bytes()) // where nobody can look there is nothing to see
	}
}

// erase goes back to where the lines begin and clears what follows.
func (s *Screen) erase(out *bytes.Buffer) {
	if s.shown > 0 {
		fmt.Fprintf(out, "\x1b[%dA\x1b[J", s.shown)
		s.shown = 0
	}
}

// shortLine is a line that is no wider than a width, and shows that something is left out. Colours of ours take no
// room.
func shortLine(line string, width int) string {
	var out strings.Builder
	used, cut := 0, false
	for rest := line; rest != ""; {
		if sequence := colours.FindString(rest); sequence != "" {
			out.WriteString(sequence)
			rest = rest[len(sequence):]
			continue
		}
		cluster, after, wide, _ := uniseg.FirstGraphemeClusterInString(rest, -1)
		rest = after
		if cut {
			continue
		}
		if room := width - used; wide > room || wide == room && Visible(rest) > 0 {
			out.WriteString("…")
			cut = true
			continue
		}
		out.WriteString(cluster)
		used += wide
	}
	return out.String()
}

// Visible is how many columns a line takes.
func Visible(line string) int { return uniseg.StringWidth(sequences.ReplaceAllString(line, "")) }

// Bar is a bar of so many columns of which a share is filled.
func (s *Screen) Bar(share float64, columns int) string {
	full := int(min(1, max(0, share))*float64(columns) + 0.5)
	filled, empty := strings.Repeat("█", full), strings.Repeat("░", max(0, columns-full))
	return s.Colour(blue, filled) + empty
}

// Colours, by the numbers that terminals have for them.
const (
	Red    = 31
	Green  = 32
	Yellow = 33
	blue   = 34
)

func (s *Screen) Colour(number int, text string) string {
	if s.Plain || text == "" {
		return text
	}
	return fmt.Sprintf("\x1b[%dm%s\x1b[0m", number, text)
}
