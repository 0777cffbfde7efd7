package machine

import (
	"cmp"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
)

// identity returns four hex digits that tell this machine from others of its class. They are made of /etc/machine-id,
// the firmware's UUID if it can be read, and a random number in the folder state, which is made on first use: machines
// cloned from one image share the other two. Where the folder cannot be written, there is no random number.
//
// Source: docs/method.md#hosts.
func identity(root, state string) (string, error) {
	random, err := randomID(filepath.Join(state, "id"))
	if err != nil && !errors.Is(err, fs.ErrPermission) && !errors.Is(err, syscall.EROFS) {
		return "", fmt.Errorf("telling this machine from others: %w", err)
	}
	return identityOf(text(root, "etc/machine-id"), text(root, "sys/class/dmi/id/product_uuid"), random), nil
}

// identityOf digests what tells a machine from others, so that records do not have it.
func identityOf(parts ...string) string {
	sum := hmac.New(sha256.New, []byte("benchbook"))
	for _, part := range parts {
		fmt.Fprintf(sum, "%s\n", part)
	}
	return hex.EncodeToString(sum.Sum(nil)[:2])
}

var isRandomID = regexp.MustCompile(`^[0-9a-f]{32}$`)

// randomID reads the random number in a file, or makes it. Of two processes that make it at once both get the same.
func randomID(path string) (string, error) {
	if id, err := readID(path); !os.IsNotExist(err) {
		return id, err
	}
	var random [16]byte
	_, _ = rand.Read(random[:]) // never fails
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", err
	}
	made, err := os.CreateTemp(filepath.Dir(path), "id-")
	if err != nil {
		return "", err
	}
	defer os.Remove(made.Name())
	_, err = fmt.Fprintf(made, "%x\n", random)
	if err := cmp.Or(err, made.Chmod(0o644), made.Sync(), made.Close()); err != nil {
		return "", err
	}
	if err := os.Link(made.Name(), path); err != nil && !os.IsExist(err) {
		return "", err
	}
	return readID(path)
}

func readID(path string) (string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	id := strings.TrimSpace(string(data))
	if !isRandomID.MatchString(id) {
		return "", fmt.Errorf("%s is damaged: remove it, and this machine counts as a new one", path)
	}
	return id, nil
}

// stateFolder is where benchbook keeps its knowledge of this machine.
func stateFolder() string {
	if os.Geteuid() == 0 {
		return "/var/lib/benchbook"
	}
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "benchbook")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		home = os.TempDir()
	}
	return filepath.Join(home, ".local", "state", "benchbook")
}
