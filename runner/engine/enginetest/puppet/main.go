// Command puppet executes its arguments as steps, in order, so that one small image provides services and commands of
// any behaviour. Steps are written NAME=VALUE. The first that fails is reported on standard error and ends the program
// with status 1.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"benchbook/internal/proc"
)

// dialName connects to a service by its name, which some engines make known only to our own programs.
func dialName(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	found, err := proc.LookupHost(ctx, host)
	if err != nil {
		return nil, err
	}
	return new(net.Dialer).DialContext(ctx, network, net.JoinHostPort(found[0].String(), port))
}

// steps maps names to steps.
var steps = map[string]func(value string) error{
	"out":     func(text string) error { _, err := fmt.Println(text); return err },
	"err":     func(text string) error { _, err := fmt.Fprintln(os.Stderr, text); return err },
	"fill":    with(strconv.Atoi, func(bytes int) error { return fill(os.Stdout, bytes) }),
	"fillerr": with(strconv.Atoi, func(bytes int) error { return fill(os.Stderr, bytes) }),
	"sleep": with(time.ParseDuration, func(d time.Duration) error {
		time.Sleep(d)
		return nil
	}),
	"burn":   with(time.ParseDuration, burn),
	"listen": listen,                                                          // answers over HTTP from now on, /N with status N
	"hang":   func(string) error { hanging.Store(true); return nil },          // answers no request from now on
	"asked":  func(times string) error { return isAsked(cmp.Or(times, "1")) }, // waits for requests for /go, or for one
	"idle": func(string) error { // waits for SIGTERM
		caught := make(chan os.Signal, 1)
		signal.Notify(caught, syscall.SIGTERM)
		<-caught
		return nil
	},
	"get": func(url string) error { // over a connection of its own
		client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: dialName}}
		response, err := client.Get(url)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		_, err = io.Copy(os.Stdout, response.Body)
		return err
	},
	"dial": func(address string) error {
		conn, err := net.DialTimeout("tcp", address, 2*time.Second)
		if err != nil {
			return err
		}
		return conn.Close()
	},
	"addresses": func(string) error { // its own, without loopback and link-local ones
		addresses, err := net.InterfaceAddrs()
		for _, address := range addresses {
			if ip, _, err := net.ParseCIDR(address.String()); err == nil && !ip.IsLoopback() && !ip.IsLinkLocalUnicast() {
				fmt.Println(ip)
			}
		}
		return err
	},
	"resolve": func(name string) error { _, err := net.LookupHost(name); return err },
	"count": func(name string) error { // the addresses of a name
		addresses, err := net.LookupHost(name)
		fmt.Println(len(addresses))
		return err
	},
	"write": write, // a text to a file: PATH:TEXT
	"keep": func(what string) error { // writes a text and reads it again: PATH:TEXT
		path, _, _ := strings.Cut(what, ":")
		return errors.Join(write(what), cat(path))
	},
	"await": with(strconv.Atoi, func(n int) error { // a number of signals
		caught := make(chan os.Signal, n)
		signal.Notify(caught, syscall.SIGTERM, syscall.SIGUSR1)
		fmt.Println("waiting")
		for range n {
			fmt.Println(<-caught)
		}
		return nil
	}),
	"threads": with(strconv.Atoi, func(n int) error { // starts a number of them
		debug.SetMaxThreads(n + 1000)
		var started sync.WaitGroup
		for range n {
			started.Add(1)
			go func() {
				runtime.LockOSThread()
				started.Done()
				select {}
			}()
		}
		started.Wait()
		return nil
	}),
	"allocate": with(strconv.Atoi, func(n int) error { // uses bytes of memory
		used := make([]byte, n)
		for i := 0; i < n; i += os.Getpagesize() {
			used[i] = 1
		}
		fmt.Println("allocated", len(used))
		return nil
	}),
	"cat": cat,
	"status": func(field string) error { // of the first process and of this one
		fmt.Println(proc.Status("1", field))
		fmt.Println(proc.Status("self", field))
		return nil
	},
	"either": func(paths string) error { // reads one of two files
		one, other, _ := strings.Cut(paths, ":")
		if cat(one) == nil {
			return nil
		}
		return cat(other)
	},
	"mode": func(path string) error {
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		_, err = fmt.Println(info.Mode())
		return err
	},
	"env": func(name string) error { _, err := fmt.Println(os.Getenv(name)); return err },
	"pwd": func(string) error {
		folder, err := os.Getwd()
		fmt.Println(folder)
		return err
	},
	"copy": func(string) error { _, err := io.Copy(os.Stdout, os.Stdin); return err }, // standard input to output
	"exit": with(strconv.Atoi, func(status int) error {
		os.Exit(status)
		return nil
	}),
}

// with returns a step that parses its value.
func with[T any](parse func(string) (T, error), run func(T) error) func(string) error {
	return func(value string) error {
		v, err := parse(value)
		if err != nil {
			return err
		}
		return run(v)
	}
}

func write(what string) error {
	path, text, _ := strings.Cut(what, ":")
	return os.WriteFile(path, []byte(text+"\n"), 0o644)
}

func main() {
	steps["fails"] = func(step string) error { // succeeds if a step does not
		if do(step) == nil {
			return errors.New("it succeeded")
		}
		return nil
	}
	for _, step := range os.Args[1:] {
		if err := do(step); err != nil {
			fail(step, err)
		}
	}
}

func do(step string) error {
	name, value, _ := strings.Cut(step, "=")
	run, ok := steps[name]
	if !ok {
		fail(step, errors.New("there is no such step"))
	}
	return run(value)
}

func fail(step string, err error) {
	fmt.Fprintf(os.Stderr, "puppet: %s: %v\n", step, err)
	os.Exit(1)
}

// burn computes until this process has used d of processor time.
func burn(d time.Duration) error {
	for {
		var used syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
			return err
		}
		if time.Duration(used.Utime.Nano()+used.Stime.Nano()) >= d {
			return nil
		}
	}
}

func cat(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(data)
	return err
}

// fill writes a number of bytes to w.
func fill(w io.Writer, bytes int) error {
	_, err := w.Write(slices.Repeat([]byte{'x'}, bytes))
	return err
}

// asked has an entry for each request for /go that was answered.
var asked = make(chan struct{}, 1000)

var isAsked = with(strconv.Atoi, func(times int) error {
	for range times {
		<-asked
	}
	return nil
})

// hanging is set when requests are no longer answered.
var hanging atomic.Bool

func listen(address string) error {
	if !strings.Contains(address, ":") {
		address = ":" + address // a port alone: at every address
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	go func() {
		err := http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if status, err := strconv.Atoi(strings.Trim(r.URL.Path, "/")); err == nil {
				w.WriteHeader(status)
			}
			if hanging.Load() {
				<-r.Context().Done()
				return
			}
			answer := fmt.Sprintln("hello from", os.Getenv("NAME"))
			w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
			_, _ = io.WriteString(w, answer) // the client may have gone
			if r.URL.Path == "/go" {
				_ = http.NewResponseController(w).Flush() // before isAsked continues
				select {
				case asked <- struct{}{}:
				default: // no step waits for so many
				}
			}
		}))
		fail("listen="+address, err)
	}()
	return nil
}
