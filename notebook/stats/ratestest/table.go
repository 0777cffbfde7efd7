// Package ratestest simulates how often something happens, and holds published tables to it.
package ratestest

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

// Sessions is how many are behind every published number.
const Sessions = 10_000

// A Table of rates in percent, found in its file by its head.
type Table struct {
	Head []string
	Rows []Row
}

// A Row of a table: its label, and a cell below each further head.
type Row struct {
	Label string
	Cells []Cell
}

// A Cell has several rates, between which stands a slash.
type Cell []Rate

// A Rate draws one session. With sides two things may happen in it, and the larger rate is shown in brackets behind
// that of both; else the first counts.
type Rate struct {
	Sides bool
	Draw  func(rng *rand.Rand) (first, second bool, err error)
}

// One is a rate of one thing.
func One(happens func(rng *rand.Rand) (bool, error)) Rate {
	return Rate{Draw: func(rng *rand.Rand) (bool, bool, error) {
		first, err := happens(rng)
		return first, false, err
	}}
}

// Check simulates each cell. With as many sessions as are published, the table must be the same to the last digit, or is
// rewritten with update; with fewer the numbers may be as far apart as chance sets them, five standard errors.
func (table Table) Check(t *testing.T, file string, sessions int, update bool) {
	t.Helper()
	if err := refusal(sessions); update && err != nil {
		t.Fatal(err)
	}
	text := must.Get(os.ReadFile(file))
	head := "| " + strings.Join(table.Head, " | ") + " |\n|" + strings.Repeat("---|", len(table.Head)) + "\n"
	before, rest, found := strings.Cut(string(text), head)
	if !found {
		t.Fatalf("%s has no table %q", file, head)
	}
	body, after, _ := strings.Cut(rest, "\n\n")
	var lines []string
	stated := strings.Split(body, "\n")
	for i, row := range table.Rows {
		got := row.simulate(t, table.Head[0], sessions)
		line := "| " + row.Label + " | " + strings.Join(got, " | ") + " |"
		lines = append(lines, line)
		t.Log(line)
		if update {
			continue
		}
		if i >= len(stated) || !like(stated[i], line, sessions) {
			t.Errorf("%s states\n%s\nsimulated\n%s", file, stated[min(i, len(stated)-1)], line)
		}
	}
	if update {
		must.Do(os.WriteFile(file, []byte(before+head+strings.Join(lines, "\n")+"\n\n"+after), 0o644))
	}
}

// refusal says why a table may not be rewritten: published numbers have Sessions behind them.
func refusal(sessions int) error {
	if sessions < Sessions {
		return fmt.Errorf("%d sessions are too few to rewrite a table: add -simulations %d, without -short",
			sessions, Sessions)
	}
	return nil
}

// simulate returns the cells of a row as they are printed.
func (row Row) simulate(t *testing.T, table string, sessions int) []string {
	t.Helper()
	out := make([]string, len(row.Cells))
	for i, cell := range row.Cells {
		var words []string
		for k, rate := range cell {
			seed := fnv.New64a()
			fmt.Fprint(seed, table, row.Label, i, k)
			word, err := rate.simulate(rand.New(rand.NewPCG(2026, seed.Sum64())), sessions)
			if err != nil {
				t.Fatalf("%s: %v", row.Label, err)
			}
			words = append(words, word)
		}
		out[i] = strings.Join(words, " / ")
	}
	return out
}

func (rate Rate) simulate(rng *rand.Rand, sessions int) (string, error) {
	var first, second int
	for range sessions {
		a, b, err := rate.Draw(rng)
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
	if rate.Sides {
		word += " (" + percent(max(first, second), sessions) + ")"
	}
	return word, nil
}

func percent(count, of int) string {
	return strconv.FormatFloat(100*float64(count)/float64(of), 'f', 1, 64)
}

// like reports whether two lines of a table state the same, as far as so many sessions can tell.
func like(stated, simulated string, sessions int) bool {
	if sessions >= Sessions || stated == simulated {
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
		// Both numbers are rounded, and what happens in no published session may in one of these.
		p := min(max(x/100, 0.001), 0.999)
		if math.Abs(x-y)/100 > 5*math.Sqrt(p*(1-p)*(1/float64(sessions)+1.0/Sessions))+0.001 {
			return false
		}
	}
	return true
}
