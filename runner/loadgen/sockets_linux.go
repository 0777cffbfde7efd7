package loadgen

import "golang.org/x/sys/unix"

// sockets are the sockets of an engine, including those that the server is to close.
type sockets struct {
	poller     *poller
	owners     []owner     // by file descriptor
	generation uint32      // of the socket added last
	departures []departure // by their deadlines
	departed   int         // how many departures at the front are over
	departing  int         // how many are not over
}

// growFileTable grows the kernel's table of this process's files before the load. It doubles when it is full, and with
// several threads each doubling waits until every CPU has passed through the scheduler: 10 to 20 ms with two CPUs, of
// the 90 ms that a thousand requests take. file is any open file.
//
// Source: Linux, fs/file.c: expand_fdtable, which waits by synchronize_rcu.
func growFileTable(file, files int) {
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) == nil && uint64(files) >= limit.Cur {
		files = int(limit.Cur) - 1
	}
	if last, err := unix.FcntlInt(uintptr(file), unix.F_DUPFD_CLOEXEC, files); err == nil {
		unix.Close(last)
	}
}

// owner says which connection has a file descriptor.
type owner struct {
	slot       int32 // index in engine.connections, or one of these:
	generation uint32
}

const (
	nobody  = -1
	leaving = -2 // it waits for the server to close it
)

// departure is a connection that waits for the server to close it.
type departure struct {
	until      int64
	fd         int32
	generation uint32
}

// add registers a new socket of a connection.
func (s *sockets) add(fd int, slot int32) (generation uint32) {
	s.generation++
	for len(s.owners) <= fd {
		s.owners = append(s.owners, owner{slot: nobody})
	}
	s.owners[fd] = owner{slot, s.generation}
	return s.generation
}

// slotOf returns the connection of an event; nobody if it was closed before or departs. It closes a departing one.
func (s *sockets) slotOf(event *unix.EpollEvent) int32 {
	o := s.owners[event.Fd]
	switch {
	case o.generation != uint32(event.Pad):
		return nobody
	case o.slot == leaving:
		s.closeFile(event.Fd)
		s.departing--
		return nobody
	}
	return o.slot
}

func (s *sockets) closeFile(fd int32) {
	s.owners[fd].slot = nobody
	shut(int(fd))
}

// close closes the socket of a connection, if it has one.
func (s *sockets) close(c *socket) {
	if c.state != unconnected {
		s.closeFile(c.fd)
		c.disconnect()
	}
}

// retire lets the server close a connection whose end it has announced. The local port of the side that closes first
// stays blocked for a minute, and a load without keep-alive needs many.
func (s *sockets) retire(c *socket, until int64) {
	s.owners[c.fd].slot = leaving
	s.departures = append(s.departures, departure{until, c.fd, c.generation})
	s.departing++
	c.disconnect()
}

// isOver reports whether the socket of a departure has been closed.
func (s *sockets) isOver(d departure) bool {
	o := s.owners[d.fd]
	return o.slot != leaving || o.generation != d.generation
}

// endDepartures closes the sockets that the server has not closed in time.
func (s *sockets) endDepartures(now int64) {
	for ; s.departed < len(s.departures); s.departed++ {
		d := s.departures[s.departed]
		if s.isOver(d) {
			continue
		}
		if d.until > now {
			break
		}
		s.closeFile(d.fd)
		s.departing--
	}
	if s.departed > len(s.departures)/2 { // so that each is moved about once
		s.departures = s.departures[:copy(s.departures, s.departures[s.departed:])]
		s.departed = 0
	}
}

// closeAll closes the sockets of connections and departures.
func (s *sockets) closeAll(connections []connection) {
	for i := range connections {
		s.close(&connections[i].socket)
	}
	for _, d := range s.departures {
		if !s.isOver(d) {
			s.closeFile(d.fd)
		}
	}
}
