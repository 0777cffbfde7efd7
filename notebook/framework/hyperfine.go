package framework

import "errors"

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
