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

// Requests to our agent on another machine.
const (
	Watch       = "watch"    // read the machine until SIGTERM
	askHost     = "describe" // describe the machine
	askSpeed    = "speed"    // take its fingerprint
	askRest     = "settle"   // wait for the machine to come to rest, for at most a duration
	askReadings = "readings" // return the readings since a time in nanoseconds since 1970
)

// Watching is the line that Watch writes once it has begun.
const Watching = "benchbook-host: watching"

// readingEvery is the interval at which Watch reads the machine. It keeps mostReadings readings: 20 minutes.
const (
	readingEvery = 100 * time.Millisecond
	mostReadings = 12_000
)

// socket is the abstract socket on which Watch answers, in the network namespace of its container.
const socket = "@benchbook-readings"

// An answer carries the time at which it was sent, by the clock of its machine.
type answer struct {
	Went  time.Time
	Value any
}

// Answer answers a request of a Machine. It is the command host of benchbook-agent, and runs in a container on that
// machine. It needs no privileges or files, because the kernel describes the machine in every container.
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
	question := append(slices.Clone(args), "", "") // a missing value is invalid
	switch question[0] {
	case askHost:
		return Below("/") // a container does not see the machine's identity
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

// watch reads this machine until the context is done. On a socket, it answers a time with the readings since then.
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
				return // closed
			}
			var from time.Time
			if json.NewDecoder(conn).Decode(&from) == nil {
				mu.Lock()
				first, _ := slices.BinarySearchFunc(readings, from, func(r Reading, from time.Time) int { return r.At.Compare(from) })
				data, err := json.Marshal(readings[first:])
				mu.Unlock()
				if err == nil {
					_, _ = conn.Write(data) // the reader notices incomplete JSON
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

// readingsSince asks the process that watches the machine for its readings since a time.
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
