//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"benchbook/runner/loadgen"
)

// memoryLimit is the heap size, in bytes, at which garbage is collected. During a load only TLS makes any.
const memoryLimit = 256 << 20

// putLoad puts HTTP load on a server and prints what it measured.
//
// With URLs it takes its settings from flags and prints text, or JSON with -json. Otherwise it reads the Config of
// package loadgen as JSON from standard input, and prints the Result as JSON. With the argument check it asks every
// target once and prints the answers instead.
//
// A failing server is a result, not an error.
func putLoad(ctx context.Context, args []string) error {
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(memoryLimit)
	check := slices.Equal(args, []string{loadgen.CheckArgument})
	if len(args) > 0 && !check {
		return putLoadOn(ctx, args)
	}
	var config loadgen.Config
	err := readConfig(os.Stdin, &config)
	if err != nil {
		return err
	}
	var result any
	if check {
		result, err = loadgen.Check(ctx, config)
	} else {
		result, err = loadgen.Run(ctx, config)
	}
	if err != nil {
		return err
	}
	return writeJSON(result)
}

func writeJSON(result any) error {
	if err := json.NewEncoder(os.Stdout).Encode(result); err != nil {
		return fmt.Errorf("writing the result: %w", err)
	}
	return nil
}

// putLoadOn puts load on URLs, as flags say.
func putLoadOn(ctx context.Context, args []string) error {
	var config loadgen.Config
	var target loadgen.Target
	var asJSON, closing, poisson bool
	headers := make(map[string]string)
	flags := flag.NewFlagSet("load", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.IntVar(&config.Connections, "c", 10, "`connections`")
	flags.IntVar(&config.Threads, "t", 0, "`threads`; 0 is one per core")
	flags.DurationVar(&config.Duration, "d", 0, "`length` of the window (default 10s, or until -n requests have ended)")
	flags.Int64Var(&config.Requests, "n", 0, "`requests` that end the window")
	flags.Float64Var(&config.Rate, "R", 0, "`requests` due per second (an open loop); 0 is a closed loop")
	flags.BoolVar(&poisson, "poisson", false, "spread the requests of -R at random")
	flags.DurationVar(&config.Warmup, "warmup", 0, "`length` of the load before the window")
	flags.DurationVar(&config.Timeout, "timeout", 10*time.Second, "`longest` time to an answer")
	flags.BoolVar(&closing, "close", false, "open a connection for each request")
	flags.StringVar(&target.Method, "m", "GET", "`method`")
	body := flags.String("b", "", "`body` of each request")
	flags.Func("H", "`header`, such as 'Accept: text/html'; may be repeated", func(text string) error {
		name, value, ok := strings.Cut(text, ":")
		if !ok {
			return errors.New("write NAME: VALUE")
		}
		headers[name] = strings.TrimSpace(value)
		return nil
	})
	flags.BoolVar(&asJSON, "json", false, "print the result as JSON")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stdout, "Usage: benchbook-agent load [flags] URL...")
			flags.SetOutput(os.Stdout)
			flags.PrintDefaults()
			return nil
		}
		return err
	}
	config.KeepAlive = !closing
	if poisson {
		config.Arrivals = loadgen.PoissonArrivals
	}
	if config.Duration == 0 && config.Requests == 0 {
		config.Duration = 10 * time.Second
	}
	target.Headers, target.Body = headers, []byte(*body)
	for _, target.URL = range flags.Args() {
		config.Targets = append(config.Targets, target)
	}
	result, err := loadgen.Run(ctx, config)
	switch {
	case err != nil:
		return err
	case asJSON:
		return writeJSON(result)
	}
	writeText(result)
	return nil
}

// writeText prints a summary of a result for people.
func writeText(r *loadgen.Result) {
	seconds := r.Length.Seconds()
	right := float64(r.Completed.Right)
	if o := r.Overlap; r.Lag == nil {
		right = float64(o.Right) / loadgen.WholeRequest // the estimate of docs/method.md#definitions
	}
	fmt.Printf("%d requests in %.2f s: %d answered, %d failed\n", r.Attempted, seconds, r.Answered, r.Failed)
	for _, kind := range loadgen.Kinds {
		if n := r.Failures[kind]; n > 0 {
			fmt.Printf("  %-10s %d\n", kind, n)
		}
	}
	fmt.Printf("throughput   %.1f/s, %.2f MB/s received\n", right/seconds, float64(r.BytesIn)/1e6/seconds)
	for _, d := range []struct {
		name  string
		times *loadgen.Distribution
	}{{"latency", &r.Latency}, {"service", r.Service}, {"lag", r.Lag}} {
		if d.times == nil || d.times.Count == 0 {
			continue
		}
		h, _ := d.times.Histogram() // it was encoded here
		fmt.Printf("%-12s mean %v", d.name, time.Duration(d.times.Sum/d.times.Count).Round(100*time.Nanosecond))
		for _, p := range []float64{50, 90, 99, 99.9} {
			fmt.Printf(", p%v %v", p, time.Duration(h.ValueAtPercentile(p)).Round(100*time.Nanosecond))
		}
		fmt.Printf(", max %v\n", time.Duration(d.times.Max).Round(100*time.Nanosecond))
	}
	if r.CPU.Busiest != nil && r.Health != nil {
		fmt.Printf("generator    its busiest thread was busy for %.0f %% of the time, and stood still for %v at most\n",
			100**r.CPU.Busiest, r.Health.Standstill.Round(10*time.Microsecond))
	}
}

// readConfig reads a config in JSON. It refuses unknown fields: they are of another version of this program.
func readConfig(from io.Reader, config any) error {
	d := json.NewDecoder(from)
	d.DisallowUnknownFields()
	if err := d.Decode(config); err != nil {
		return fmt.Errorf("reading config: %w", err)
	}
	return nil
}
