// Command puppet does what its arguments say, one after the other, so that tests of engines can have services and
// programs of any behaviour from one small image. It is static and needs nothing around it.
//
// Steps are written NAME=VALUE; the first that fails is reported on standard error and ends it with status 1.
package main

import (
	"context"
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

	"benchbook/runner/config"
)

// dialName connects to a service, whose name engines need not let others resolve than our own programs.
func dialName(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	found, err := config.Lookup(ctx, host)
	if err != nil {
		return nil, err
	}
	return new(net.Dialer).DialContext(ctx, network, net.JoinHostPort(found[0].String(), port))
}

// steps are all that it can do, by name.
var steps = map[string]func(value string) error{
	"out": func(text string) error { _, err := fmt.Println(text); return err },
	"err": func(text string) error { _, err := fmt.Fprintln(os.Stderr, text); return err },
	"fill": func(bytes string) error { // writes so many bytes
		n, err := strconv.Atoi(bytes)
		if err != nil {
			return err
		}
		_, err = os.Stdout.Write(slices.Repeat([]byte{'x'}, n))
		return err
	},
	"sleep": func(duration string) error {
		d, err := time.ParseDuration(duration)
		time.Sleep(d)
		return err
	},
	"burn":   burn,
	"listen": listen, // answers over HTTP from now on, /N with status N
	// answers nothing from now on, to whoever is connected or not
	"hang": func(string) error { hanging.Store(true); return nil },
	// waits until somebody has asked for /go, so many times if it says so
	"asked": isAsked,
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
	"addresses": func(string) error { // its own, without those of the loopback and those that mean nothing behind one link
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
	"write": func(what string) error { // a text to a file: PATH:TEXT
		path, text, _ := strings.Cut(what, ":")
		return os.WriteFile(path, []byte(text+"\n"), 0o644)
	},
	"await": func(signals string) error { // so many signals that ask for its end
		n, err := strconv.Atoi(signals)
		caught := make(chan os.Signal, n)
		signal.Notify(caught, syscall.SIGTERM, syscall.SIGUSR1)
		fmt.Println("waiting")
		for range n {
			fmt.Println(<-caught)
		}
		return err
	},
	"threads": func(number string) error { // has so many, each for itself
		n, err := strconv.Atoi(number)
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
		return err
	},
	"allocate": func(bytes string) error { // uses so much memory
		n, err := strconv.Atoi(bytes)
		if err != nil {
			return err
		}
		used := make([]byte, n)
		for i := 0; i < n; i += os.Getpagesize() {
			used[i] = 1
		}
		fmt.Println("allocated", len(used))
		return nil
	},
	"cat": func(path string) error {
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		_, err = os.Stdout.Write(data)
		return err
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
		if err != nil {
			return err
		}
		_, err = fmt.Println(folder)
		return err
	},
	"copy": func(string) error { _, err := io.Copy(os.Stdout, os.Stdin); return err }, // standard input to output
	"exit": func(status string) error {
		n, err := strconv.Atoi(status)
		if err == nil {
			os.Exit(n)
		}
		return err
	},
}

func main() {
	for _, step := range os.Args[1:] {
		name, value, _ := strings.Cut(step, "=")
		do, ok := steps[name]
		if !ok {
			fail(step, fmt.Errorf("there is no such step"))
		}
		if err := do(value); err != nil {
			fail(step, err)
		}
	}
}

func fail(step string, err error) {
	fmt.Fprintf(os.Stderr, "puppet: %s: %v\n", step, err)
	os.Exit(1)
}

// burn uses so much time of a processor.
func burn(duration string) error {
	d, err := time.ParseDuration(duration)
	if err != nil {
		return err
	}
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

// isAsked waits for so many requests for /go, or for one.
func isAsked(times string) error {
	n := 1
	if times != "" {
		var err error
		if n, err = strconv.Atoi(times); err != nil {
			return err
		}
	}
	for range n {
		<-asked
	}
	return nil
}

// hanging says that nothing is answered any more.
var hanging atomic.Bool

// asked has an entry for each request for /go that was answered.
var asked = make(chan struct{}, 1000)

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
			_, _ = io.WriteString(w, answer) // who has gone does not read it
			if r.URL.Path == "/go" {
				_ = http.NewResponseController(w).Flush() // before whatever waits for it
				select {
				case asked <- struct{}{}:
				default: // nobody waits for so many
				}
			}
		}))
		fail("listen="+address, err)
	}()
	return nil
}
