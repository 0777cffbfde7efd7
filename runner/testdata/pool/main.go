// Command pool answers HTTP requests with a number of workers, as if three processors stood behind them: no more than three workers have
// something to do at the same time, and more of them than that get in each other's way.
package main

import (
	"flag"
	"fmt"
	"log"
	"net/http"
	"time"
)

// Three workers answer 3/took requests per second, twice as many half of that.
const (
	processors = 3
	took       = 10 * time.Millisecond
)

func main() {
	workers := flag.Int("workers", 1, "requests that are worked on at the same time")
	port := flag.Int("port", 8080, "where it listens")
	flag.Parse()
	worker, processor := make(chan struct{}, *workers), make(chan struct{}, processors)
	takes := took * time.Duration(max(*workers, processors)) / processors
	log.Fatal(http.ListenAndServe(fmt.Sprintf(":%d", *port), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		worker <- struct{}{}
		processor <- struct{}{}
		time.Sleep(takes)
		<-processor
		<-worker
		_, _ = w.Write([]byte("done\n"))
	})))
}
