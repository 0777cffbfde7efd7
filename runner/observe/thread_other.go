//go:build !linux

package observe

import "time"

// threadTime is the processor time of the calling thread, or -1 where the system does not tell.
func threadTime() time.Duration { return -1 }

// processTime is the processor time of this process, or 0 where the system does not tell.
func processTime() time.Duration { return 0 }
