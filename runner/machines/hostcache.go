package machines

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"

	"benchbook/runner/sysinfo"
)

// HostCache is a folder that keeps what other machines were when they were last met, by the endpoints of their engines,
// so that what was measured on them is known for ours without asking them. Empty keeps nothing.
type HostCache string

func (c HostCache) file(endpoint string) string {
	sum := sha256.Sum256([]byte(endpoint))
	return filepath.Join(string(c), "hosts", hex.EncodeToString(sum[:12])+".json")
}

// Read is what a machine was when it was last met; false if it never was.
func (c HostCache) Read(endpoint string) (sysinfo.Host, bool) {
	if c == "" {
		return sysinfo.Host{}, false
	}
	data, err := os.ReadFile(c.file(endpoint))
	var h sysinfo.Host
	return h, err == nil && json.Unmarshal(data, &h) == nil && h.ID != ""
}

// Write keeps what a machine is. What cannot be kept is found out again.
func (c HostCache) Write(endpoint string, h sysinfo.Host) {
	if c == "" {
		return
	}
	data, err := json.Marshal(h)
	if err != nil {
		return
	}
	if os.MkdirAll(filepath.Dir(c.file(endpoint)), 0o755) == nil {
		_ = renameio.WriteFile(c.file(endpoint), data, 0o644)
	}
}
