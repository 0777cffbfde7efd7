package stats

import (
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"benchbook/internal/test/must"
)

// publishedSessions is the number of sessions behind every published rate.
const publishedSessions = 10_000

// A rateTable holds rates in percent. Its head identifies it in the file.
type rateTable struct {
	head []string
	rows []rateRow
}

// A rateRow has a label, and a cell for each further head.
type rateRow struct {
	label string
	cells []rateCell
}

// A rateCell holds several rates, printed with slashes between them.
type rateCell []rate

// A rate draws one session. With sides it counts two events, and prints the larger rate in brackets after that of both;
// without, it counts the first.
type rate struct {
	sides bool
	draw  func(rng *rand.Rand) (first, second bool, err error)
}

// one returns a rate that counts one event.
func one(happens func(rng *rand.Rand) (bool, error)) rate {
	return rate{draw: func(rng *rand.Rand) (bool, bool, error) {
		first, err := happens(rng)
		return first, false, err
	}}
}

// check simulates each cell. With publishedSessions the table must match to the last digit, or update rewrites it; with
// fewer, numbers may differ by chance, up to five standard errors.
func (table rateTable) check(t *testing.T) {
	t.Helper()
	sessions := *simulations
	if *update && sessions < publishedSessions {
		t.Fatalf("%d sessions are too few to rewrite a table: add -simulations %d, without -short", sessions, publishedSessions)
	}
	text := must.Get(os.ReadFile(rates))
	head := "| " + strings.Join(table.head, " | ") + " |\n|" + strings.Repeat("---|", len(table.head)) + "\n"
	before, rest, found := strings.Cut(string(text), head)
	if !found {
		t.Fatalf("%s has no table %q", rates, head)
	}
	body, after, _ := strings.Cut(rest, "\n\n")
	var lines []string
	stated := strings.Split(body, "\n")
	for i, row := range table.rows {
		got := row.simulate(t, table.head[0], sessions)
		line := "| " + row.label + " | " + strings.Join(got, " | ") + " |"
		lines = append(lines, line)
		t.Log(line)
		if *update {
			continue
		}
		if i >= len(stated) || !like(stated[i], line, sessions) {
			t.Errorf("%s states\n%s\nsimulated\n%s", rates, stated[min(i, len(stated)-1)], line)
		}
	}
	if *update {
		must.Write(rates, before+head+strings.Join(lines, "\n")+"\n\n"+after)
	}
}

// simulate returns the cells of a row as printed.
func (row rateRow) simulate(t *testing.T, table string, sessions int) []string {
	t.Helper()
	out := make([]string, len(row.cells))
	for i, cell := range row.cells {
		var words []string
		for k, r := range cell {
			seed := fnv.New64a()
			fmt.Fprint(seed, table, row.label, i, k)
			word, err := r.simulate(rand.New(rand.NewPCG(2026, seed.Sum64())), sessions)
			if err != nil {
				t.Fatalf("%s: %v", row.label, err)
			}
			words = append(words, word)
		}
		out[i] = strings.Join(words, " / ")
	}
	return out
}

func (r rate) simulate(rng *rand.Rand, sessions int) (string, error) {
	var first, second int
	for range sessions {
		a, b, err := r.draw(rng)
		if err != nil {
			return "", err
		}
		if a {
			first++
		}
		if b {
			second++
		}
	}
	word := percent(first+second, sessions)
	if r.sides {
		word += " (" + percent(max(first, second), sessions) + ")"
	}
	return word, nil
}

func percent(count, of int) string {
	return strconv.FormatFloat(100*float64(count)/float64(of), 'f', 1, 64)
}

// like reports whether two lines of a table agree, as far as the number of sessions can tell.
func like(stated, simulated string, sessions int) bool {
	if sessions >= publishedSessions || stated == simulated {
		return stated == simulated
	}
	a, b := strings.Fields(stated), strings.Fields(simulated)
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		x, errX := strconv.ParseFloat(strings.Trim(a[i], "()"), 64)
		y, errY := strconv.ParseFloat(strings.Trim(b[i], "()"), 64)
		if errX != nil || errY != nil {
			if a[i] != b[i] {
				return false
			}
			continue
		}
		// Both numbers are rounded, and an event without a published session may occur in one of these.
		p := min(max(x/100, 0.001), 0.999)
		if math.Abs(x-y)/100 > 5*math.Sqrt(p*(1-p)*(1/float64(sessions)+1.0/publishedSessions))+0.001 {
			return false
		}
	}
	return true
}
