package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"time"

	"benchbook/runner/loadgen"
)

// insides is what only the generator's own process can tell.
type insides struct {
	Allocations float64 `json:"allocations"` // for a request
	Connection  float64 `json:"connection"`  // bytes for one that is idle
}

// insides has this program load the server itself, in a process of its own.
func (s *settings) insides() (r insides, err error) {
	server, err := s.responder("plain", s.cores[0])
	if err != nil {
		return r, err
	}
	program, err := os.Executable()
	if err != nil {
		return r, err
	}
	cmd := exec.Command(program, "inside", "http://"+server.address+"/")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err = start(cmd, s.generator()); err == nil {
		err = cmd.Wait()
	}
	if _, _, endErr := server.end(); err == nil {
		err = endErr
	}
	if err != nil {
		return r, fmt.Errorf("%w: %s", err, &stderr)
	}
	return r, json.Unmarshal(stdout.Bytes(), &r)
}

// inside measures and prints insides.
func inside(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("inside wants the server's URL")
	}
	debug.SetGCPercent(-1)
	config := loadgen.Config{
		Targets: []loadgen.Target{{URL: args[0]}}, Connections: 64, Threads: 1, Duration: 4 * time.Second,
		Timeout: 5 * time.Second, KeepAlive: true,
	}
	var r insides
	// Between the first and the third second of a run, what is allocated is allocated by requests.
	before, after, found, err := watch(config, time.Second, 3*time.Second)
	if err != nil {
		return err
	}
	r.Allocations = float64(after.Mallocs-before.Mallocs) / float64(found.Seconds[1].Right+found.Seconds[2].Right)
	// Clients that think keep their connections idle. Two numbers of them tell what each takes.
	const few, many = 100, 2100
	var heap [2]uint64
	for i, n := range []int{few, many} {
		runtime.GC()
		config.Connections, config.Duration, config.Think = n, 1500*time.Millisecond, time.Minute
		before, after, _, err := watch(config, 0, 1200*time.Millisecond)
		if err != nil {
			return err
		}
		heap[i] = after.TotalAlloc - before.TotalAlloc
	}
	r.Connection = float64(heap[1]-heap[0]) / (many - few)
	return json.NewEncoder(os.Stdout).Encode(r)
}

// watch runs a load and looks at the memory at two times.
func watch(config loadgen.Config, first, second time.Duration) (before, after runtime.MemStats, found *loadgen.Result,
	err error) {
	looked := make(chan struct{})
	if first == 0 {
		runtime.ReadMemStats(&before)
	}
	go func() {
		defer close(looked)
		if first > 0 {
			time.Sleep(first)
			runtime.ReadMemStats(&before)
		}
		time.Sleep(second - first)
		runtime.ReadMemStats(&after)
	}()
	found, err = loadgen.Run(context.Background(), config)
	<-looked
	return before, after, found, err
}
