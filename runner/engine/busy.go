package engine

import (
	"fmt"
	"time"
)

// BusyError means that another run has the engine.
type BusyError struct {
	Doing string    // what that run measures; empty if unknown
	Since time.Time // by the engine's clock
}

func (e *BusyError) Error() string {
	if e.Doing == "" {
		return "another benchbook is using this machine"
	}
	return fmt.Sprintf("another benchbook is using this machine: it has been %s since %s", e.Doing,
		e.Since.Local().Format("15:04:05 on 2 January"))
}
