package loadgen

import (
	"time"
)

// closedLoop lets each client send its next request when it has the answer to the one before. Client n has the
// connections n·k to n·k + k − 1, one for each of k servers, and a request on at most one of them.
type closedLoop struct {
	engine        *engine
	active        []bool     // clients that are not done
	running       int        // how many these are
	thinking      pauses     // of clients
	presences     []presence // of each client, where the window ends with the requests
	requests      uint64     // drawn so far
	nextAdmission int64      // when the next client may start
	admitted      int        // clients that have started
	apart         int64      // between the starts of two clients, those of other engines included; 0 for at once
}

// admissionsAtOnce is how many clients start before answers are looked for, so that the first of very many do not seem
// to wait for theirs while the last are still to start. It is not small: while clients start one by one, servers that
// answer at once keep those busy that have started, and the others are missing from a load of a thousand requests.
const admissionsAtOnce = 64

func newClosedLoop(e *engine, clients int) *closedLoop {
	l := &closedLoop{engine: e, active: make([]bool, clients), thinking: newPauses(e), nextAdmission: never}
	if all := int64(e.config.Connections); e.config.Staggered {
		l.apart = min(startPace.Nanoseconds(), startTime.Nanoseconds()/all)
	}
	if e.config.Requests > 0 && !e.config.Cut {
		l.presences = make([]presence, clients)
	}
	return l
}

func (l *closedLoop) begin() { l.nextAdmission = max(l.engine.clock, l.engine.started) }

func (l *closedLoop) due(int) {} // there is no schedule

func (l *closedLoop) clientOf(connection int32) int { return int(connection) / l.engine.perClient }

// freed lets a client send its next request, after its pause.
func (l *closedLoop) freed(i int32) {
	if !l.thinking.begin(i) {
		l.send(l.clientOf(i))
	}
}

func (l *closedLoop) counted(o *outcome) {
	if l.presences != nil {
		l.presences[l.clientOf(o.slot)].next(l.engine.window, o, l.engine.config.Think)
	}
}

// inFlight is how long clients had a request on its way, or were thinking, in the window up to a time.
func (l *closedLoop) inFlight(until int64) (sum time.Duration) {
	for i := range l.presences {
		sum += time.Duration(l.presences[i].until(l.engine.window, until))
	}
	return sum
}

func (l *closedLoop) turn() {
	e := l.engine
	for i := l.thinking.over(); i != none; i = l.thinking.over() {
		l.send(l.clientOf(i))
	}
	if l.nextAdmission <= e.clock {
		l.admitSome()
	}
}

// awake is how long an engine that has a core to spare stays awake for the next answer over a kept connection. To be
// woken costs the server: 3 µs for each write with answers on a virtual machine, where nginx needs 12 for one over TLS.
const awake = 200_000

func (l *closedLoop) next() (at int64, polling bool) {
	e := l.engine
	at = min(l.nextAdmission, l.thinking.next())
	return at, e.config.KeepAlive && e.meter.polls && at == never && e.clock-e.heard < awake
}

func (l *closedLoop) finished() bool {
	return l.running == 0 && (l.nextAdmission == never || l.engine.window.isOver(l.engine.clock))
}

// send sends the next request of a client, if there is to be one.
func (l *closedLoop) send(n int) {
	e := l.engine
	if !e.window.isOpen() {
		e.count() // before this request may open it: what has ended was not in it
	}
	start, ok := e.permit(e.clock)
	if !ok {
		l.leave(n)
		return
	}
	l.requests++
	draw := mix(mix(e.config.Seed+uint64(e.index)<<32) + l.requests)
	target := e.draw(draw)
	e.begin(int32(n*e.perClient+e.targets[target].origin), target, draw, start)
}

// leave takes a client out of the load.
func (l *closedLoop) leave(n int) {
	e := l.engine
	for i := range e.perClient {
		e.sockets.close(&e.connections[n*e.perClient+i].socket)
	}
	l.active[n] = false
	l.running--
}

// number is that of the connection of a client among those of all engines.
func (l *closedLoop) number(n int) int { return l.engine.index + n*l.engine.engines }

// admit has a client start.
func (l *closedLoop) admit(n int) {
	l.active[n] = true
	l.running++
	l.engine.clock = l.engine.now()
	l.send(n)
}

// admitSome has some of those clients start that may by now.
func (l *closedLoop) admitSome() {
	e := l.engine
	l.nextAdmission = never
	for range min(admissionsAtOnce, len(l.active)-l.admitted) {
		if at := e.started + int64(l.number(l.admitted))*l.apart; at > e.clock {
			l.nextAdmission = at
			return
		}
		l.admitted++
		l.admit(l.admitted - 1)
	}
	if l.admitted < len(l.active) {
		l.nextAdmission = e.clock
	}
}

// pauses are the connections of clients that think. All think equally long, so the first to begin is the first done.
type pauses struct {
	engine *engine
	queue  queue
}

func newPauses(e *engine) pauses { return pauses{engine: e, queue: newQueue()} }

// begin lets the client of a connection think, if it is to.
func (p *pauses) begin(i int32) bool {
	e := p.engine
	if e.config.Think == 0 {
		return false
	}
	e.connections[i].wake = e.clock + e.config.Think.Nanoseconds()
	p.queue.push(e.connections, i)
	return true
}

// over gives the connection of a client that is done with thinking; none if all others go on.
func (p *pauses) over() int32 {
	e, i := p.engine, p.queue.first
	if i == none {
		return none
	}
	// Thinking clients need not finish their thought when there is nothing more to send.
	if e.connections[i].wake > e.clock && !e.ended.Load() && !e.window.isOver(e.clock) {
		return none
	}
	p.queue.remove(e.connections, i)
	return i
}

// next is when the first of them is done.
func (p *pauses) next() int64 {
	if p.queue.first == none {
		return never
	}
	return min(p.engine.connections[p.queue.first].wake, p.engine.window.end())
}
