package machine

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// dropCaches is the file of Linux that drops clean pages, directory entries and inodes when 3 is written to it.
const dropCaches = "/proc/sys/vm/drop_caches"

// CanDropCaches returns an error if this process may not drop the page cache of this machine.
func CanDropCaches() error {
	f, err := os.OpenFile(dropCaches, os.O_WRONLY, 0)
	if err == nil {
		err = f.Close()
	}
	return err
}

// DropCaches writes dirty pages to disk and drops the page cache of this machine, so that files are read from disk.
func DropCaches() error {
	unix.Sync()
	if err := os.WriteFile(dropCaches, []byte("3\n"), 0); err != nil {
		return fmt.Errorf("dropping the page cache: %w", err)
	}
	return nil
}
