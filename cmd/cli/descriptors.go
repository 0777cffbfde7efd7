package cli

import (
	"os"
	"strconv"
	"syscall"
)

// keepDescriptors keeps the descriptors that benchbook was started with, other than input, output and errors, from what
// it starts: a browser that outlives it would keep the lock of "flock FILE benchbook preview --open". Go does so with
// those that it opens itself.
func keepDescriptors() {
	entries, err := os.ReadDir("/dev/fd")
	if err != nil {
		return // a system without them
	}
	for _, entry := range entries {
		if fd, err := strconv.Atoi(entry.Name()); err == nil && fd > 2 {
			syscall.CloseOnExec(fd)
		}
	}
}
