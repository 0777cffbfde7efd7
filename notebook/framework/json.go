package framework

import "errors"

// criterion reads the files benchmark.json and estimates.json of all folders new below target/criterion, one after
// another. The time is the median of the samples.
//
// Source: criterion 0.5.1.
func criterion(output []byte, c *collector) error {
	type file struct {
		ID         string         `json:"full_id"`
		Throughput map[string]any `json:"throughput"` // in one iteration: Bytes or Elements
		Median     *struct {
			Point *float64 `json:"point_estimate"` // ns
		} `json:"median"`
	}
	var of *file // the benchmark whose estimates come next
	err := documents(output, func(f *file) error {
		switch {
		case f.ID != "":
			of = f
			return nil
		case of == nil || f.Median == nil || f.Median.Point == nil:
			return errors.New("estimates.json has no median, or no benchmark.json before it")
		}
		ns := *f.Median.Point
		c.add(of.ID, "time", ns, 0, "ns")
		for _, kind := range []struct{ name, metric string }{{"Bytes", "bytes_per_second"},
			{"BytesDecimal", "bytes_per_second"}, {"Elements", "items_per_second"}} {
			if n, ok := of.Throughput[kind.name].(float64); ok && ns > 0 {
				c.add(of.ID, kind.metric, n/ns*1e9, 0, unitOfRate[kind.metric])
			}
		}
		of = nil
		return nil
	})
	if err == nil && of != nil {
		err = errors.New("the last benchmark.json has no estimates.json after it")
	}
	return err
}

// unitOfRate has the units of metrics that are work per time.
var unitOfRate = map[string]string{"bytes_per_second": "B/s", "items_per_second": "1/s"}

// hyperfine reads the file of hyperfine's --export-json. The time is the median of the runs.
//
// Source: hyperfine 1.15.0.
func hyperfine(output []byte, c *collector) error {
	return documents(output, func(doc *struct {
		Results []struct {
			Command string    `json:"command"`
			Times   []float64 `json:"times"`
		} `json:"results"`
	}) error {
		for _, r := range doc.Results {
			if len(r.Times) == 0 {
				return errors.New("a command has no times")
			}
			for _, seconds := range r.Times {
				c.add(r.Command, "time", seconds, 0, "s")
			}
		}
		return nil
	})
}

// pytestBenchmark reads the file of --benchmark-json. The time is the median of the rounds.
//
// Source: pytest-benchmark 5.3.1.
func pytestBenchmark(output []byte, c *collector) error {
	return documents(output, func(doc *struct {
		Benchmarks []struct {
			Name  string `json:"fullname"`
			Stats struct {
				Median *float64 `json:"median"` // s
			} `json:"stats"`
		} `json:"benchmarks"`
	}) error {
		for _, b := range doc.Benchmarks {
			if b.Stats.Median == nil {
				return errors.New("a benchmark has no median")
			}
			c.add(b.Name, "time", *b.Stats.Median, 0, "s")
		}
		return nil
	})
}
