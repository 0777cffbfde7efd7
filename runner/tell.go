package runner

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"benchbook/notebook/record"
)

// Words that our program on another machine is called with, beside those of package agent.
const (
	tellDescription = "describe"
	tellRest        = "settle"
	tellWatch       = "watch"
	tellReadings    = "readings"
)

// What follows tellRest: whether the machine disturbed the repetition before this one, and the longest wait as in Settler.
const (
	afterDisturbance = "disturbed"
	afterRest        = "undisturbed"
)

// watchReady is what watch writes when it has begun.
const watchReady = "benchbook-host: watching"

// Readings of a machine are kept in two files, the older of which is given up when the newer one is full: some hours of them.
const (
	newReadings  = "/readings"
	oldReadings  = "/readings.old"
	maxReadings  = 4 << 20 // bytes of each
	readingEvery = 100 * time.Millisecond
)

// restFile keeps what a Settler knows of the repetitions before: each of them is asked about in a process of its own.
const restFile = "/rest"

// rested is a Settler as it is kept.
type rested struct {
	Begun  time.Time     `json:"begun"`
	Waited time.Duration `json:"waited"`
	After  time.Duration `json:"after"`
	Vain   int           `json:"vain"`
	Last   reading       `json:"last"`
	Swap   int64         `json:"swap"`
}

// settleOn settles as a Settler does that lives for as long as a file does.
func settleOn(ctx context.Context, s *Settler, file string, disturbed bool) (*record.Before, error) {
	data, err := os.ReadFile(file)
	switch {
	case errors.Is(err, os.ErrNotExist): // it is the first repetition
	case err != nil:
		return nil, err
	default:
		var k rested
		if err := json.Unmarshal(data, &k); err != nil {
			return nil, fmt.Errorf("reading %s: %w", file, err)
		}
		s.begun, s.waited, s.after, s.vain, s.swap = k.Begun, k.Waited, k.After, k.Vain, k.Swap
		s.last = hostUsage{time.Unix(0, k.Last.At), k.Last.Busy, k.Last.Total, k.Last.Steal, k.Last.Own}
	}
	before, err := s.Settle(ctx, disturbed)
	if err != nil {
		return nil, err
	}
	last := reading{s.last.at.UnixNano(), s.last.busy, s.last.total, s.last.steal, s.last.own}
	if data, err = json.Marshal(rested{s.begun, s.waited, s.after, s.vain, last, s.swap}); err != nil {
		return nil, err
	}
	return before, os.WriteFile(file, data, 0o600)
}

// reading is a hostUsage as it is told: a moment in nanoseconds since 1970, and seconds of all cores.
type reading struct {
	At    int64   `json:"at"`
	Busy  float64 `json:"busy"`
	Total float64 `json:"total"`
	Steal float64 `json:"steal"`
	Own   float64 `json:"own"` // what of it the program took that reads
}

// Tell does on the machine it runs on what a Machine asks for: see the command benchbook-host. It needs no rights, as kernels tell every
// container about the machine.
func Tell(ctx context.Context, args []string, stdout io.Writer) error {
	answer := json.NewEncoder(stdout)
	switch {
	case len(args) == 1 && args[0] == tellDescription:
		host, err := ThisHost()
		if err != nil {
			return err
		}
		return answer.Encode(host)
	case len(args) == 3 && args[0] == tellRest:
		longest, err := time.ParseDuration(args[2])
		if err != nil {
			return fmt.Errorf("invalid longest wait %q", args[2])
		}
		before, err := settleOn(ctx, &Settler{Longest: longest}, restFile, args[1] == afterDisturbance)
		if err != nil {
			return err
		}
		before.TimeWait = -1 // those are of the container's own network
		return answer.Encode(before)
	case len(args) == 1 && args[0] == tellWatch:
		return keepWatch(ctx, newReadings, oldReadings, stdout)
	case len(args) == 2 && args[0] == tellReadings:
		from, err := strconv.ParseInt(args[1], 10, 64)
		if err != nil {
			return fmt.Errorf("%q is no moment", args[1])
		}
		return tellSince(from, answer, oldReadings, newReadings)
	}
	return fmt.Errorf("%q is nothing that can be told", args)
}

// keepWatch writes readings down until the context is done.
func keepWatch(ctx context.Context, file, old string, stdout io.Writer) error {
	into, err := os.Create(file)
	if err != nil {
		return err
	}
	defer func() { into.Close() }() // whatever it is by then
	if _, err := fmt.Fprintln(stdout, watchReady); err != nil {
		return err
	}
	ticker := time.NewTicker(readingEvery)
	defer ticker.Stop()
	for written := 0; ; {
		now := readHost()
		line, err := json.Marshal(reading{now.at.UnixNano(), now.busy, now.total, now.steal, now.own})
		if err != nil {
			return err
		}
		n, err := into.Write(append(line, '\n'))
		if err != nil {
			return err
		}
		if written += n; written > maxReadings {
			if err := errors.Join(into.Close(), os.Rename(file, old)); err != nil {
				return err
			}
			if into, err = os.Create(file); err != nil {
				return err
			}
			written = 0
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// tellSince tells the readings since a moment, in nanoseconds since 1970, of files in order. One that is not there has none.
func tellSince(from int64, answer *json.Encoder, files ...string) error {
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		lines := bufio.NewScanner(bytes.NewReader(data))
		for lines.Scan() {
			var r reading
			if json.Unmarshal(lines.Bytes(), &r) != nil || r.At < from { // the last line may be half of one
				continue
			}
			if err := answer.Encode(r); err != nil {
				return err
			}
		}
	}
	return nil
}
