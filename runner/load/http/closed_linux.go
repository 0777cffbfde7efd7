package http

// closedLoop is what an engine needs to know of its clients in a closed loop. Client n has the places n·k to n·k + k − 1,
// one for each of k servers, and a request on at most one of them.
type closedLoop struct {
	clients       []client
	active        int        // clients that are not done
	presences     []presence // of each client, where the window ends with the requests
	requests      uint64     // drawn so far
	nextAdmission int64      // when the next client may start
	admitted      int        // clients that have started, where their number does not change
}

// admissionsAtOnce is how many clients start before answers are looked for, so that the first of very many do not seem to wait for
// theirs while the last are still to start. It is not small: while clients start one by one, servers that answer at once keep those
// busy that have started, and the others are missing from a load of a thousand requests.
const admissionsAtOnce = 64

type client struct{ active bool }

func (e *engine) startClosed() { e.nextAdmission = max(e.clock, e.started) }

// admit has a client start.
func (e *engine) admit(n int) {
	e.clients[n].active = true
	e.active++
	e.clock = e.now()
	e.next(n)
}

// think lets the client whose request was on a place go on, after its pause.
func (e *engine) think(i int32) {
	if e.config.Think == 0 {
		e.next(int(i) / e.perClient())
		return
	}
	e.connections[i].wake = e.clock + e.config.Think.Nanoseconds()
	e.thinking.push(e.connections, i)
}

// turnClosed does what the clock asks for in a closed loop.
func (e *engine) turnClosed() {
	if e.thinking.first != none {
		over := e.ended.Load() || e.window.over(e.clock) // thinking clients need not finish their thought
		for i := e.thinking.first; i != none && (over || e.connections[i].wake <= e.clock); i = e.thinking.first {
			e.thinking.remove(e.connections, i)
			e.next(int(i) / e.perClient())
		}
	}
	if e.nextAdmission <= e.clock {
		e.admitSome()
	}
}

// next sends the next request of a client, if there is to be one.
func (e *engine) next(n int) {
	if !e.window.isOpen() {
		e.count() // before this request may open it: what has ended was not in it
	}
	start, ok := e.permit(e.clock)
	if !ok || e.schedule != nil && e.number(n) >= e.allowed() {
		e.leave(n)
		return
	}
	e.requests++
	draw := mix(mix(e.config.Seed+uint64(e.index)<<32) + e.requests)
	target := e.draw(draw)
	i := int32(n*e.perClient() + e.targets[target].origin)
	c := &e.connections[i]
	c.draw, c.target, c.origin = draw, int32(target), int32(e.targets[target].origin)
	e.begin(i, c, start)
}

// leave takes a client out of the load.
func (e *engine) leave(n int) {
	for i := n * e.perClient(); i < (n+1)*e.perClient(); i++ {
		e.close(&e.connections[i])
	}
	e.clients[n].active = false
	e.active--
	if e.schedule != nil {
		e.nextAdmission = e.clock // it may come back
	}
}

// number is that of a client among those of all engines.
func (e *engine) number(n int) int { return e.index + n*e.engines }

// allowed is how many clients there may be now.
func (e *engine) allowed() int {
	const rounding = 1e-6
	return int(e.schedule.value(e.clock-e.started) + rounding)
}

// admitSome has some of those clients start that may by now.
func (e *engine) admitSome() {
	e.nextAdmission = never
	if e.schedule == nil {
		for range min(admissionsAtOnce, len(e.clients)-e.admitted) {
			e.admitted++
			e.admit(e.admitted - 1)
		}
		if e.admitted < len(e.clients) {
			e.nextAdmission = e.clock
		}
		return
	}
	if e.window.over(e.clock) {
		return
	}
	left := admissionsAtOnce
	for n := range e.clients {
		switch {
		case e.clients[n].active:
		case e.number(n) >= e.allowed():
			if at, ok := e.schedule.reach(float64(e.number(n)+1), e.clock-e.started); ok {
				e.nextAdmission = min(e.nextAdmission, e.started+max(at, e.clock-e.started+1))
			}
			return // those with higher numbers come later
		case left == 0:
			e.nextAdmission = e.clock
			return
		default:
			e.admit(n)
			left--
		}
	}
}
