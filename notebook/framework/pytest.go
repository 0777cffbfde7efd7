package framework

import "errors"

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
