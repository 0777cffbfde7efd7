//go:build linux

package eventloop

import (
	"encoding/json"
	"fmt"
	"io"
)

// Watch writes the report as a line every quarter of a second in which it has grown; ReadLateness finds it.
func (l *Lateness) Watch(loop *Loop, w io.Writer) {
	t := &Timer{}
	t.Fire = func() {
		if n := l.histogram.TotalCount(); n > l.reported {
			l.reported = n
			line, err := json.Marshal(l.Report())
			if err == nil {
				_, err = fmt.Fprintf(w, "%s%s\n", latenessPrefix, line)
			}
			if err != nil {
				loop.Fail(fmt.Errorf("writing how late answers are: %w", err))
				return
			}
		}
		loop.Set(t, loop.Now()+int64(ReportEvery))
	}
	loop.Set(t, loop.Now()+int64(ReportEvery))
}
