// Command driver is a load generator as docs/drivers.md describes it: a closed loop, or an open one with constant arrivals.
package main

import (
	"encoding/json"
	"io"
	"log"
	"net/http"
	"os"
	"sync"
	"time"
)

type line struct {
	Due     *float64 `json:"due,omitempty"`
	At      float64  `json:"at"`
	Latency float64  `json:"latency"`
	OK      bool     `json:"ok"`
	Status  int      `json:"status,omitempty"`
	Error   string   `json:"error,omitempty"`
}

func main() {
	var load struct {
		Targets                         []struct{ URL string }
		Connections                     int
		Timeout, Warmup, Duration, Rate float64
	}
	if err := json.NewDecoder(os.Stdin).Decode(&load); err != nil {
		log.Fatal(err)
	}
	out, began := json.NewEncoder(os.Stdout), time.Now()
	lines, due := make(chan line, 1<<20), make(chan float64, 1<<20)
	end := load.Warmup + load.Duration
	for i := 0; load.Rate > 0 && float64(i)/load.Rate < end; i++ {
		due <- float64(i) / load.Rate
	}
	close(due)
	seconds := func() float64 { return time.Since(began).Seconds() }
	client := http.Client{Timeout: time.Duration(load.Timeout * 1e9),
		Transport: &http.Transport{MaxIdleConnsPerHost: load.Connections}}
	ask := func(l line) {
		if l.At = seconds(); l.Due != nil && l.At < *l.Due {
			time.Sleep(time.Duration((*l.Due - l.At) * 1e9))
			l.At = seconds()
		}
		answer, err := client.Get(load.Targets[0].URL)
		if err == nil {
			_, err = io.Copy(io.Discard, answer.Body)
			l.Status = answer.StatusCode
			answer.Body.Close()
		}
		if l.OK = err == nil; err != nil {
			l.Error, l.Status = "reset", 0
		}
		l.Latency = seconds() - l.At
		lines <- l
	}
	var clients sync.WaitGroup
	for range load.Connections {
		clients.Go(func() {
			if load.Rate > 0 {
				for at := range due {
					ask(line{Due: &at})
				}
				return
			}
			for seconds() < end {
				ask(line{})
			}
		})
	}
	clients.Wait()
	close(lines)
	for l := range lines {
		if err := out.Encode(l); err != nil {
			log.Fatal(err)
		}
	}
}
