//go:build linux

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"benchbook/runner/engine"
	"benchbook/runner/engine/agent"
	"benchbook/runner/engine/kernel"
	"benchbook/runner/machine"
	"benchbook/runner/proc"
)

// actAsHost acts for benchbook on another machine, in a container without any rights or files:
//
//	hold              stay until standard input ends
//	connect ADDRESS   connect to a service, say "connected", and pass on what comes
//
// as the first process of containers on Kubernetes, and beside that:
//
//	attend ORDER      start a program once it may begin, pass signals on to it, and end with its status
//	signal NAME       send a signal to that program
//	end               kill all processes of the container
//	do DEED           become a command
//	fill FILLING      put into volumes what they begin with
//	meter             answer questions about the container, by lines of standard input
//	answer ADDRESS    be the name server of services at an address
//	know              give that server its table, which comes over standard input
//
// (what is written in capitals is JSON, of the types of package agent) and, for package machine:
//
//	watch             read the machine ten times a second until SIGTERM
//	describe          print the class, the cores and the facts of the machine as JSON
//	settle MAX        let the machine come to rest, for at most MAX, and print what it is like then as JSON
//	readings FROM     print the readings of watch since a moment, in nanoseconds since 1970, as JSON
func actAsHost(ctx context.Context, args []string, s streams) error {
	switch {
	case len(args) == 1 && args[0] == agent.Hold:
		return agent.Stay(s.stdin)
	case len(args) == 2 && args[0] == agent.Connect:
		return agent.Pass(ctx, args[1], s.stdin, s.stdout)
	}
	if len(args) > 0 {
		if known, err := inside(ctx, args, s.stdin, s.stdout); known {
			return err
		}
	}
	return machine.Answer(ctx, args, s.stdout)
}

// inside is what the program does in a container that it was put into, beside whatever is run there. It says whether
// this is such a word. It is a table: a case for each word, with the number of its arguments.
//
//gocyclo:ignore
func inside(ctx context.Context, args []string, stdin io.Reader, stdout io.Writer) (known bool, err error) {
	switch word, rest := args[0], args[1:]; {
	case word == agent.Attend && len(rest) == 1:
		var order agent.Order
		if err := json.Unmarshal([]byte(rest[0]), &order); err != nil {
			return true, err
		}
		status, err := agent.AttendTo(order)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			status = 127
		}
		os.Exit(status)
	case word == agent.Do && len(rest) == 1:
		var deed agent.Deed
		if err := json.Unmarshal([]byte(rest[0]), &deed); err != nil {
			return true, err
		}
		fmt.Fprintln(os.Stderr, deed.Become())
		os.Exit(127)
	case word == agent.Fill && len(rest) == 1:
		var filling agent.Filling
		if err := json.Unmarshal([]byte(rest[0]), &filling); err != nil {
			return true, err
		}
		return true, filling.Carry()
	case word == agent.Signal && len(rest) == 1:
		return true, agent.SendSignal(rest[0])
	case word == agent.End && len(rest) == 0:
		return true, agent.EndAll()
	case word == agent.Answer && len(rest) == 1:
		return true, agent.AnswerNames(ctx, rest[0])
	case word == agent.Know && len(rest) == 0:
		return true, agent.TellNames(stdin)
	case word == agent.Meter && len(rest) == 0:
		return true, meter(ctx, stdin, stdout)
	}
	return false, nil
}

// meter answers questions about the container until there are no more.
func meter(ctx context.Context, stdin io.Reader, stdout io.Writer) error {
	files, err := kernel.New("/", 1, "") // the group of the first process is that of the container
	if err != nil {
		return err
	}
	defer files.Close()
	answers := json.NewEncoder(stdout)
	for questions := bufio.NewScanner(stdin); questions.Scan(); {
		reading, err := read(ctx, files, questions.Text())
		if err != nil {
			reading = agent.Reading{Error: err.Error()}
		}
		reading.At = time.Now()
		if err := answers.Encode(reading); err != nil {
			return err
		}
	}
	return nil
}

func read(ctx context.Context, files *kernel.Files, question string) (reading agent.Reading, err error) {
	switch question {
	case agent.AskUsage:
		u, err := files.Usage(engine.Detail{Totals: true})
		return agent.Reading{CPU: u.CPU, Memory: u.Memory, Periods: u.Periods, Throttled: u.Throttled,
			ListenOverflows: u.ListenOverflows, Retransmits: u.Retransmits}, err
	case agent.AskCPU:
		u, err := files.Usage(engine.Detail{})
		return agent.Reading{CPU: u.CPU}, err
	case agent.AskThreads, agent.AskWaits:
		u, err := files.Usage(engine.Detail{Threads: true})
		reading.Threads = make(map[int]time.Duration, len(u.Threads))
		for id, thread := range u.Threads {
			reading.Threads[id] = thread.CPU
			if question == agent.AskWaits {
				reading.Threads[id] = thread.Waited
			}
		}
		return reading, err
	case agent.AskCPUs:
		// This process may run where the container may.
		if reading.CPUs = proc.Field("/proc/self/status", "Cpus_allowed_list"); reading.CPUs == "" {
			return reading, errors.New("the kernel does not say which CPUs may be used")
		}
		reading.AllCPUs, err = kernel.AllCPUs("/")
	default:
		err = errors.New("there is no question " + question)
	}
	return reading, err
}
