package article

import (
	"fmt"
	"strconv"
	"strings"

	"benchbook/notebook/source"
	"benchbook/notebook/stats"
)

// Repetitions say after how many rounds a run judges its claims; the last of them is the most that a run has.
//
// Source: docs/experiment.md#repetitions.
type Repetitions struct {
	Looks []int // rising; empty for a template, and for a value that cannot be read
	Fixed bool  // a plain number, which is one look
}

// MaxRepetitions is how many repetitions of a trial can be asked for.
const MaxRepetitions = 1000

const repetitionsHint = "write a number, such as 5; up to 20; or {looks: [3, 5, 10, 20]}"

// ReadRepetitions reads a number, or up to a number. The error completes "KEY …".
func ReadRepetitions(text string) (r Repetitions, err error) {
	number, several := strings.CutPrefix(text, "up to ")
	most, err := strconv.Atoi(strings.TrimSpace(number))
	if err != nil {
		return r, fmt.Errorf("must be a whole number or up to one, not %q", text)
	}
	if err := checkCount(most); err != nil {
		return r, err
	}
	if several {
		return Repetitions{Looks: stats.Looks(most)}, nil
	}
	return Repetitions{Looks: []int{most}, Fixed: true}, nil
}

func checkCount(n int) error {
	if n < 1 || n > MaxRepetitions {
		return fmt.Errorf("must be between 1 and %d, not %d", MaxRepetitions, n)
	}
	return nil
}

func (r *Repetitions) DecodeNode(d source.Decoder, n *source.Node, what string) {
	if n.Kind == source.Map {
		r.decodeLooks(d, n, what)
		return
	}
	if !d.Kind(n, what, source.Scalar) || d.Templated(n) {
		return
	}
	read, err := ReadRepetitions(n.Text.Value)
	if err != nil {
		d.Problems.Add("wrong-value", n.Text.Pos, "%s %s", what, err.Error()).Hint = repetitionsHint
	}
	*r = read
}

func (r *Repetitions) decodeLooks(d source.Decoder, n *source.Node, what string) {
	var written struct {
		Looks []Value[int] `yaml:"looks"`
	}
	if d.Decode(n, what, &written); len(written.Looks) == 0 {
		d.Problems.Add("missing-key", n.Place("looks"), "%s has no looks", what).Hint = repetitionsHint
	}
	var looks []int
	for _, look := range written.Looks {
		if !look.Known() {
			return // it was not a number, which was reported
		}
		if err := checkCount(look.V); err != nil {
			d.Problems.Add("wrong-value", look.Text.Pos, "a look %s", err.Error())
			return
		}
		if n := len(looks); n > 0 && look.V <= looks[n-1] {
			d.Problems.Add("wrong-value", look.Text.Pos, "looks must rise, and %d comes after %d", look.V, looks[n-1]).
				Hint = "list the numbers of rounds from the smallest to the largest"
			return
		}
		looks = append(looks, look.V)
	}
	r.Looks, r.Fixed = looks, len(looks) == 1
}

// Most is the largest number of repetitions; 0 if it is not known.
func (r Repetitions) Most() int {
	if len(r.Looks) == 0 {
		return 0
	}
	return r.Looks[len(r.Looks)-1]
}
