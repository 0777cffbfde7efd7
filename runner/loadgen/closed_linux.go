package loadgen

// closedLoop sends a client's next request after the answer to the last. Client n has k connections, n·k to n·k+k−1,
// one for each of k servers, and a request on at most one of them.
type closedLoop struct {
	engine        *engine
	clients       int
	running       int            // clients that have started and not finished
	thinking      connectionList // connections of thinking clients; all think equally long, so the first is done first
	requests      uint64         // drawn so far
	nextAdmission int64          // when the next client may start
	admitted      int            // clients that have started
	apart         int64          // nanoseconds between the starts of clients, over all engines; 0 for all at once
}

// admissionsAtOnce is how many clients start before the engine looks for answers. If all did, the first of very many
// would seem to wait for theirs. If few did, a fast server would keep the first so busy that the last take part in few
// requests.
const admissionsAtOnce = 64

func newClosedLoop(e *engine) *closedLoop {
	l := &closedLoop{engine: e, clients: len(e.connections) / e.perClient, thinking: newQueue(),
		nextAdmission: max(e.clock, e.started)}
	if e.config.Staggered {
		l.apart = min(startPace.Nanoseconds(), startTime.Nanoseconds()/int64(e.config.Connections))
	}
	return l
}

func (l *closedLoop) due(int) {} // it has no schedule

func (l *closedLoop) clientOf(connection int32) int { return int(connection) / l.engine.perClient }

// freed lets a client send its next request, after its pause.
func (l *closedLoop) freed(i int32) {
	e := l.engine
	if e.config.Think == 0 {
		l.send(l.clientOf(i))
		return
	}
	e.connections[i].wake = e.clock + e.config.Think.Nanoseconds()
	l.thinking.push(e.connections, i)
}

func (l *closedLoop) turn() {
	e := l.engine
	// Pauses end early when there is nothing more to send.
	for i := l.thinking.first; i != none &&
		(e.connections[i].wake <= e.clock || e.ended.Load() || e.window.isOver(e.clock)); i = l.thinking.first {
		l.thinking.remove(e.connections, i)
		e.clock = e.now() // sending for the clients before took time
		l.send(l.clientOf(i))
	}
	if l.nextAdmission <= e.clock {
		l.admit()
	}
}

// awake is how many nanoseconds an engine with a core to spare polls for the next answer. Waking it costs the server 3
// µs for each write with answers on a virtual machine, where nginx takes 12 for an answer over TLS.
const awake = 200_000

func (l *closedLoop) next() (at int64, polling bool) {
	e := l.engine
	at = l.nextAdmission
	if i := l.thinking.first; i != none {
		at = min(at, e.connections[i].wake, e.window.end())
	}
	return at, e.config.KeepAlive && e.meter.polls && at == never && e.clock-e.heard < awake
}

func (l *closedLoop) finished() bool {
	return l.running == 0 && (l.nextAdmission == never || l.engine.window.isOver(l.engine.clock))
}

// send sends the next request of a client, or ends the client.
func (l *closedLoop) send(n int) {
	e := l.engine
	if !e.window.isOpen() {
		e.count() // this request may open the window, and what has ended was before it
	}
	start, ok := e.permit(e.clock)
	if !ok {
		for i := range e.perClient {
			e.sockets.close(&e.connections[n*e.perClient+i].socket)
		}
		l.running--
		return
	}
	l.requests++
	target := e.draw(mix(mix(e.config.Seed+uint64(e.index)<<32) + l.requests))
	e.begin(int32(n*e.perClient+e.targets[target].origin), target, start)
}

// admit starts clients that are due to start, at most admissionsAtOnce.
func (l *closedLoop) admit() {
	e := l.engine
	l.nextAdmission = never
	for range min(admissionsAtOnce, l.clients-l.admitted) {
		number := int64(e.index + l.admitted*e.engines) // among the clients of all engines
		if at := e.started + number*l.apart; at > e.clock {
			l.nextAdmission = at
			return
		}
		l.admitted++
		l.running++
		e.clock = e.now()
		l.send(l.admitted - 1)
	}
	if l.admitted < l.clients {
		l.nextAdmission = e.clock
	}
}
