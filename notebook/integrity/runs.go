package integrity

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"benchbook/notebook/article"
	"benchbook/notebook/record"
)

// A runID is what one run measured of one experiment; of all its experiments without a name of one.
type runID struct{ host, profile, run, experiment string }

// checkRuns asks whether the repetitions of a run can all be its own.
func checkRuns(records []*record.Record) {
	for _, own := range groups(records, func(r *record.Record) runID { return runID{r.Host, r.Profile, r.Run, ""} }) {
		checkOverlap(own)
	}
	for _, own := range groups(records, func(r *record.Record) runID {
		return runID{r.Host, r.Profile, r.Run, r.Experiment}
	}) {
		checkCommon(own, "plan", func(r *record.Record) string { return r.Plan })
		checkCommon(own, "order.seed", func(r *record.Record) string { return strconv.FormatInt(r.Order.Seed, 10) })
		for _, fact := range []string{"host.cpu", "host.cores", "host.memory"} {
			checkCommon(own, fact, func(r *record.Record) string { return r.Facts[fact] })
		}
		checkOrder(own)
	}
}

// groups divides repetitions by what they are of, in the order in which they come.
func groups(records []*record.Record, of func(*record.Record) runID) (out [][]*record.Record) {
	at := map[runID]int{}
	for _, r := range records {
		if r.Search != nil {
			continue
		}
		i, ok := at[of(r)]
		if !ok {
			i = len(out)
			at[of(r)], out = i, append(out, nil)
		}
		out[i] = append(out[i], r)
	}
	return out
}

// checkCommon asks for what all repetitions of a run share. It is that of most of them.
func checkCommon(records []*record.Record, what string, of func(*record.Record) string) {
	counts := map[string]int{}
	for _, r := range records {
		counts[of(r)]++
	}
	if len(counts) < 2 {
		return
	}
	most, common := 0, ""
	for value, n := range counts {
		if n > most || n == most && value < common {
			most, common = n, value
		}
	}
	for _, r := range records {
		value := of(r)
		finder{r}.invalid(value != common, "its %s is %s, and that of the others of its run %s", what, cmp.Or(value,
			"missing"),
			cmp.Or(common, "missing"))
		finder{r}.invalid(value == common && 2*most <= len(records) && counts[value] == most && len(counts) == 2,
			"its %s is %s, and that of others of its run is another", what, value)
	}
}

// checkOverlap asks whether repetitions were measured one after the other. Those with seals were saved one after the
// other, so that nothing but a clock that was set back makes them overlap.
func checkOverlap(records []*record.Record) {
	records, sealed := inOrder(slices.DeleteFunc(slices.Clone(records), func(r *record.Record) bool {
		_, set := r.Facts[record.FactLeftOut]
		return r.Imported != nil || r.Ended.IsZero() || set
	}))
	for i, r := range records[:max(0, len(records)-1)] {
		next := records[i+1]
		if r.Ended.Sub(next.Started) <= clockSlack {
			continue
		}
		if sealed {
			finder{next}.warn("it began before %s, which was saved before it, had ended: the clock was set back", name(r))
			continue
		}
		for _, of := range [2][2]*record.Record{{r, next}, {next, r}} {
			finder{of[0]}.invalid(true, "it was measured at the same time as %s", name(of[1]))
		}
	}
}

// inOrder gives repetitions in the order in which they were measured: that of their seals, or of their times if the
// seals of some are missing or do not fit.
func inOrder(records []*record.Record) (sorted []*record.Record, sealed bool) {
	sealed = !slices.ContainsFunc(records, func(r *record.Record) bool { return !r.SealFits() })
	sorted = slices.SortedStableFunc(slices.Values(records), func(a, b *record.Record) int {
		if sealed {
			return cmp.Compare(a.Seal.Number, b.Seal.Number)
		}
		return a.Started.Compare(b.Started)
	})
	return sorted, sealed
}

// checkOrder asks whether repetitions stand where the seed has put them. The order of a round is a permutation of the
// trials. Which is which a record does not say, but a trial is the same one in every round.
func checkOrder(records []*record.Record) {
	planned := slices.DeleteFunc(slices.Clone(records), func(r *record.Record) bool {
		return r.Imported != nil || r.Order.Position < 1 || r.Order.Replaces > 0
	})
	at := map[int]*record.Record{}
	for _, r := range planned {
		f := finder{r}
		f.invalid(r.Order.Position > r.Order.Of, "it is repetition %d of %d in the order of its run", r.Order.Position,
			r.Order.Of)
		f.invalid(r.Repetition != r.Order.Round, "it is repetition %d, in round %d", r.Repetition, r.Order.Round)
		if other := at[r.Order.Position]; other != nil {
			for _, of := range [2][2]*record.Record{{r, other}, {other, r}} {
				finder{of[0]}.invalid(true, "it has the same place in the order of its run as %s", name(of[1]))
			}
		}
		at[r.Order.Position] = r
	}
	drawn := drawnPlaces(planned, article.Interleaved)
	for _, in := range []article.Order{article.Sequential, article.Blocks} {
		if alternative := drawnPlaces(planned, in); alternative.fitting > drawn.fitting {
			drawn = alternative
		}
	}
	for _, r := range drawn.others {
		finder{r}.invalid(true, "its place in the order, %d, is not the one that the seed gives it", r.Order.Position)
	}
	warnOfLate(planned)
}

// places are how far repetitions stand where they were put.
type places struct {
	fitting int
	others  []*record.Record
}

// drawnPlaces finds the repetitions whose trial stands where no one trial can in an order.
func drawnPlaces(records []*record.Record, in article.Order) (out places) {
	type vote struct{ trial string }
	votes := map[vote]map[int]int{}
	index := map[*record.Record]int{}
	orders := map[string][]place{}
	for _, r := range records {
		i, ok := trialIndex(r, in, orders)
		if !ok {
			i = -1
		}
		index[r] = i
		v := vote{r.Trial + "\x00" + strconv.FormatBool(r.Calibration)}
		if votes[v] == nil {
			votes[v] = map[int]int{}
		}
		votes[v][i]++
	}
	for _, r := range records {
		own := votes[vote{r.Trial + "\x00" + strconv.FormatBool(r.Calibration)}]
		most := 0
		for i, n := range own {
			if i >= 0 {
				most = max(most, n)
			}
		}
		if index[r] >= 0 && own[index[r]] == most {
			out.fitting++
		} else {
			out.others = append(out.others, r)
		}
	}
	return out
}

// trialIndex is the number that the trial of a repetition has in its plan, by its place in an order; false for a place
// that is in another round. Drawn keeps what was drawn last.
func trialIndex(r *record.Record, in article.Order, drawn map[string][]place) (int, bool) {
	o := r.Order
	if r.Planned < 1 || o.Of%r.Planned != 0 || o.Position > o.Of {
		return 0, false
	}
	key := fmt.Sprint(o.Seed, o.Of, r.Planned, r.Looks)
	if drawn[key] == nil {
		clear(drawn) // records of a run share theirs
		drawn[key] = drawPlaces(r, in)
	}
	if o.Position > len(drawn[key]) {
		return 0, false
	}
	at := drawn[key][o.Position-1]
	return at.trial, at.round == o.Round
}

// place is what comes at a place of the order: a trial, by its number in the plan, in a round.
type place struct{ trial, round int }

// drawPlaces draws an order as a plan does.
func drawPlaces(r *record.Record, in article.Order) []place {
	out, trials := []place{}, r.Order.Of/r.Planned
	random := rand.New(rand.NewPCG(uint64(r.Order.Seed), 0))
	looks := r.Looks
	switch {
	case in == article.Interleaved: // each round is drawn
		looks = nil
		for round := range r.Planned {
			looks = append(looks, round+1)
		}
	case len(looks) == 0:
		looks = []int{r.Planned}
	}
	before := 0
	for _, look := range looks {
		if len(out) >= r.Order.Of {
			break
		}
		order := random.Perm(trials)
		if in == article.Sequential {
			slices.Sort(order)
		}
		for _, trial := range order {
			for round := before; round < look && len(out) < r.Order.Of; round++ {
				out = append(out, place{trial, round + 1})
			}
		}
		before = look
	}
	return out
}

// warnOfLate finds the fewest repetitions without which all were measured in the order that was drawn: they were put
// off, as by run --only, or their times were edited.
func warnOfLate(records []*record.Record) {
	records, _ = inOrder(records)
	length, before, best := make([]int, len(records)), make([]int, len(records)), -1
	for i, r := range records {
		length[i], before[i] = 1, -1
		for j := range i {
			if records[j].Order.Position < r.Order.Position && length[j]+1 > length[i] {
				length[i], before[i] = length[j]+1, j
			}
		}
		if best < 0 || length[i] > length[best] {
			best = i
		}
	}
	inOrder := map[int]bool{}
	for i := best; i >= 0; i = before[i] {
		inOrder[i] = true
	}
	for i, r := range records {
		if !inOrder[i] {
			finder{r}.warn("it was measured out of the order that was drawn: as number %d of %d instead of %d", i+1,
				len(records), r.Order.Position)
		}
	}
}

// checkCopies asks whether two repetitions of an article have numbers that no two can have in common: times to the
// nanosecond, and what was added up of many.
func checkCopies(records []*record.Record) {
	seen := map[fingerprint]*record.Record{}
	for _, r := range records {
		for _, print := range fingerprints(r) {
			first := seen[print]
			if first == nil {
				seen[print] = r
				continue
			}
			if r.Imported != nil && first.Imported != nil && r.Run != first.Run {
				continue // imported a second time
			}
			for _, of := range [2][2]*record.Record{{r, first}, {first, r}} {
				finder{of[0]}.invalid(true, "it has the same %s as %s", print.what, name(of[1]))
			}
		}
	}
}

// A fingerprint is something that no two repetitions have in common.
type fingerprint struct{ what, value string }

// enough is how many times have to be in a sum for it to be of one repetition only.
const enough = 5

func fingerprints(r *record.Record) (out []fingerprint) {
	add := func(is bool, what string, of ...any) {
		if is {
			out = append(out, fingerprint{what, fmt.Sprint(of...)})
		}
	}
	add(!r.Started.IsZero() && r.Imported == nil && r.Search == nil, "start", r.Started.UnixNano())
	h := r.Histograms["latency"]
	add(h.Count >= enough && h.Step == 0, "latencies", h.Count, h.Min, h.Max, h.Sum)
	if l := r.Load; l != nil {
		add(l.Tool == "" && sumOf(l.Answers) >= enough, "latencies by second", l.Latencies)
		add(r.Output != "", "output", r.Output)
		var cpu []any
		for _, s := range r.Samples {
			if strings.HasPrefix(s.Metric, "cpu.") && s.Value > 0 {
				cpu = append(cpu, s.Metric, s.Value)
			}
		}
		add(l.Busy > 0 && len(cpu) > 0, "use of CPUs", l.Busy, cpu)
	}
	if c := r.Command; c != nil {
		add(r.Imported == nil && c.Real > 0, "times", c.Real, r.Samples)
	}
	return out
}
