package sysinfo

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
)

// Words that our program on another machine is called with, beside those of package agent.
const (
	TellDescription = "describe"
	TellRest        = "settle"
	TellWatch       = "watch"
	TellReadings    = "readings"
)

// What follows TellRest: whether the machine disturbed the repetition before this one, and the longest wait as in
// Settler.
const (
	AfterDisturbance = "disturbed"
	AfterRest        = "undisturbed"
)

// WatchReady is what watch writes when it has begun.
const WatchReady = "benchbook-host: watching"

// Readings of a machine are kept in two files, the older of which is given up when the newer one is full: some hours of
// them.
const (
	newReadings = "/readings"
	oldReadings = "/readings.old"
	maxReadings = 4 << 20 // bytes of each
)

// restFile keeps what a Settler knows of the repetitions before: each of them is asked about in a process of its own.
const restFile = "/rest"

// Answer does on the machine it runs on what a Machine asks for: see the part host of benchbook-agent. It needs no
// rights, as kernels tell every container about the machine.
func Answer(ctx context.Context, args []string, stdout io.Writer) error {
	answer := json.NewEncoder(stdout)
	switch {
	case len(args) == 1 && args[0] == TellDescription:
		host, err := ThisHost()
		if err != nil {
			return err
		}
		return answer.Encode(host)
	case len(args) == 3 && args[0] == TellRest:
		longest, err := time.ParseDuration(args[2])
		if err != nil {
			return fmt.Errorf("invalid longest wait %q", args[2])
		}
		before, err := (&Settler{Longest: longest}).SettleKept(ctx, restFile, args[1] == AfterDisturbance)
		if err != nil {
			return err
		}
		before.TimeWait = -1 // those are of the container's own network
		return answer.Encode(before)
	case len(args) == 1 && args[0] == TellWatch:
		return keepWatch(ctx, newReadings, oldReadings, stdout)
	case len(args) == 2 && args[0] == TellReadings:
		from, err := strconv.ParseInt(args[1], 10, 64)
		if err != nil {
			return fmt.Errorf("invalid time %q", args[1])
		}
		return tellSince(from, answer, oldReadings, newReadings)
	}
	return fmt.Errorf("unknown request %q", args)
}

// keepWatch writes readings down until the context is done.
func keepWatch(ctx context.Context, file, old string, stdout io.Writer) error {
	into, err := os.Create(file)
	if err != nil {
		return err
	}
	defer func() { into.Close() }() // whatever it is by then
	if _, err := fmt.Fprintln(stdout, WatchReady); err != nil {
		return err
	}
	ticker := time.NewTicker(ReadingEvery)
	defer ticker.Stop()
	for written := 0; ; {
		line, err := json.Marshal(ReadHost())
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

// tellSince tells the readings since a moment, in nanoseconds since 1970, of files in order. One that is not there has
// none.
func tellSince(from int64, answer *json.Encoder, files ...string) error {
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		lines := bufio.NewScanner(bytes.NewReader(data))
		for lines.Scan() {
			var r HostUsage
			if json.Unmarshal(lines.Bytes(), &r) != nil || r.At.UnixNano() < from { // the last line may be half of one
				continue
			}
			if err := answer.Encode(r); err != nil {
				return err
			}
		}
	}
	return nil
}
