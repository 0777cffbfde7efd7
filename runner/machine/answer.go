package machine

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"sync"
	"time"
)

// What our agent is asked on another machine.
const (
	Watch       = "watch"    // read the machine until SIGTERM
	askHost     = "describe" // what the machine has
	askSpeed    = "speed"    // its fingerprint
	askRest     = "settle"   // its noise once it is at rest, or a given time has passed
	askReadings = "readings" // since a moment, in nanoseconds since 1970
)

// Watching is what Watch writes once it has begun.
const Watching = "benchbook-host: watching"

// readingEvery is how often Watch reads the machine, and mostReadings how many readings it keeps: 20 minutes.
const (
	readingEvery = 100 * time.Millisecond
	mostReadings = 12_000
)

// socket is the abstract name at which Watch answers, in the network namespace of its container.
const socket = "@benchbook-readings"

// An answer has the time at which it went, by the clock of its machine.
type answer struct {
	Went  time.Time
	Value any
}

// Answer answers a Machine, in a container there: the part host of benchbook-agent. It needs no rights, and no files of
// its own, as the kernel describes the machine in each container.
func Answer(ctx context.Context, args []string, stdout io.Writer) error {
	if len(args) == 1 && args[0] == Watch {
		return watch(ctx, socket, stdout)
	}
	value, err := valueOf(ctx, args)
	if err != nil {
		return err
	}
	return json.NewEncoder(stdout).Encode(answer{time.Now(), value})
}

func valueOf(ctx context.Context, args []string) (any, error) {
	question := append(slices.Clone(args), "", "") // a value that is missing is invalid
	switch question[0] {
	case askHost:
		return Below("/") // a container has no identity of its machine
	case askSpeed:
		return TakeFingerprint(ctx)
	case askRest:
		longest, err := time.ParseDuration(question[1])
		if err != nil {
			return nil, err
		}
		return settle(ctx, nil, longest)
	case askReadings:
		from, err := strconv.ParseInt(question[1], 10, 64)
		if err != nil {
			return nil, err
		}
		return readingsSince(socket, time.Unix(0, from))
	}
	return nil, fmt.Errorf("unknown request %q", args)
}

// watch reads this machine until the context is done, and answers with the readings since a moment at a socket.
func watch(ctx context.Context, socket string, stdout io.Writer) error {
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	defer listener.Close()
	var mu sync.Mutex
	readings, groups := Readings{}, containers{}
	read := func() {
		r := Read()
		r.Containers = groups.read("/" + watchedGroups)
		mu.Lock()
		defer mu.Unlock()
		readings = append(readings[max(0, len(readings)+1-mostReadings):], r)
	}
	read()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return // it was closed
			}
			var from time.Time
			if json.NewDecoder(conn).Decode(&from) == nil {
				mu.Lock()
				first, _ := slices.BinarySearchFunc(readings, from, func(r Reading, from time.Time) int { return r.At.Compare(from) })
				data, err := json.Marshal(readings[first:])
				mu.Unlock()
				if err == nil {
					_, _ = conn.Write(data) // the other end reports what it lacks
				}
			}
			_ = conn.Close()
		}
	}()
	if _, err := fmt.Fprintln(stdout, Watching); err != nil {
		return err
	}
	ticker := time.NewTicker(readingEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			read()
		}
	}
}

// readingsSince asks the process that watches the machine.
func readingsSince(socket string, from time.Time) (since Readings, err error) {
	conn, err := net.Dial("unix", socket)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if err := json.NewEncoder(conn).Encode(from); err != nil {
		return nil, err
	}
	return since, json.NewDecoder(conn).Decode(&since)
}
