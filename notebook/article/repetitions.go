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

const repetitionsHint = "write a number, such as 5, or up to 20"

// ReadRepetitions reads a number, or up to a number. The error completes "KEY …".
func ReadRepetitions(text string) (r Repetitions, err error) {
	number, several := strings.CutPrefix(text, "up to ")
	most, err := strconv.Atoi(strings.TrimSpace(number))
	if err != nil {
		return r, fmt.Errorf("must be a whole number or up to one, not %q", text)
	}
	if most < 1 || most > MaxRepetitions {
		return r, fmt.Errorf("must be between 1 and %d, not %d", MaxRepetitions, most)
	}
	if several {
		return Repetitions{Looks: stats.Looks(most)}, nil
	}
	return Repetitions{Looks: []int{most}, Fixed: true}, nil
}

func (r *Repetitions) DecodeNode(d source.Decoder, n *source.Node, what string) {
	if !d.Kind(n, what, source.Scalar) || d.Templated(n) {
		return
	}
	read, err := ReadRepetitions(n.Text.Value)
	if err != nil {
		d.Problems.Add("wrong-value", n.Text.Pos, "%s %s", what, err.Error()).Hint = repetitionsHint
	}
	*r = read
}

// Most is the largest number of repetitions; 0 if it is not known.
func (r Repetitions) Most() int {
	if len(r.Looks) == 0 {
		return 0
	}
	return r.Looks[len(r.Looks)-1]
}
