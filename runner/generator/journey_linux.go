package generator

import (
	"benchbook/runner/load/http"
	"benchbook/runner/tally"
)

// journeys are those of the clients of an engine.
type journeys struct {
	*script
	engine  *engine
	clients []client
	begun   uint64
}

// client is where the journey of one is.
type client struct {
	traveller
	underWay bool
	step     int   // that is next, or under way
	start    int64 // of the journey
}

func newJourneys(e *engine, s *script, clients int) *journeys {
	if s == nil {
		return nil
	}
	return &journeys{script: s, engine: e, clients: make([]client, clients)}
}

func (j *journeys) clientOf(connection int32) int { return int(connection) / j.engine.perClient }

func (j *journeys) of(connection int32) *client { return &j.clients[j.clientOf(connection)] }

// isUnderWay reports whether a client is in the middle of a journey, if there are any.
func (j *journeys) isUnderWay(n int) bool { return j != nil && j.clients[n].underWay }

// next gives the target of the next request of a client, and the connection that it goes over, ready for the answer.
func (j *journeys) next(n int, start int64) (target int, connection int32) {
	e, c := j.engine, &j.clients[n]
	if !c.underWay {
		c.underWay, c.step, c.start = true, 0, start
		c.depart(j.script, uint64(e.index)+j.begun*uint64(e.engines))
		j.begun++
	}
	origin := e.targets[c.step].origin
	c.ask(j.script, c.step, int32(origin))
	connection = int32(n*e.perClient + origin)
	e.connections[connection].answer.whole = &c.answer
	return c.step, connection
}

// keep keeps of a right answer what later steps need. It is a failure if that is not in it.
func (j *journeys) keep(i int32, c *connection) http.Kind {
	if err := j.of(i).keep(j.script, int(c.target), c.origin); err != nil {
		return http.Extract
	}
	return ""
}

// over takes note of the end of a request.
func (j *journeys) over(o *tally.Outcome) {
	c := j.of(o.Slot)
	if !o.Cut && o.Kind == "" && c.step+1 < len(j.steps) {
		c.step++
		return
	}
	c.underWay = false
	j.engine.tally.Journey(&tally.Outcome{Start: c.start, End: o.End, Kind: o.Kind, Cut: o.Cut})
}

// leave ends the journey of a client that sends no more requests.
func (j *journeys) leave(n int) {
	if c := &j.clients[n]; c.underWay {
		c.underWay = false
		j.engine.tally.Journey(&tally.Outcome{Start: c.start, End: j.engine.clock, Cut: true})
	}
}

// pauses are clients that think, by their connections. Behind each step all think equally long, so that whoever begins
// first is done first.
type pauses struct {
	engine *engine
	queues []queue // by step; one without steps
}

func newPauses(e *engine) pauses {
	p := pauses{engine: e}
	for range max(1, len(e.config.Steps)) {
		p.queues = append(p.queues, newQueue())
	}
	return p
}

// begin lets the client of a connection think, if it is to.
func (p *pauses) begin(i int32) bool {
	e, step := p.engine, 0
	think := e.config.Think
	if e.journeys != nil {
		step = int(e.connections[i].target)
		think = e.config.Steps[step].Think
	}
	if think == 0 {
		return false
	}
	e.connections[i].wake = e.clock + think.Nanoseconds()
	p.queues[step].push(e.connections, i)
	return true
}

// over gives the connection of a client that is done with thinking; none if all others go on.
func (p *pauses) over() int32 {
	e := p.engine
	for step := range p.queues {
		i := p.queues[step].first
		if i == none {
			continue
		}
		// Thinking clients need not finish their thought when there is nothing more to send.
		if e.connections[i].wake <= e.clock || e.ended.Load() || e.window.Over(e.clock) {
			p.queues[step].remove(e.connections, i)
			return i
		}
	}
	return none
}

// next is when the first of them is done.
func (p *pauses) next() int64 {
	at := int64(never)
	for _, q := range p.queues {
		if q.first != none {
			at = min(at, p.engine.connections[q.first].wake, p.engine.window.End())
		}
	}
	return at
}
