package machines

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"benchbook/internal/files"
	"benchbook/runner/sysinfo"
)

// HostCache is a folder that keeps what other machines were when they were last met, by the endpoints of their engines,
// so that what was measured on them is known for ours without asking them. Empty keeps nothing.
type HostCache string

// Read is what a machine was when it was last met; false if it never was.
func (c HostCache) Read(endpoint string) (sysinfo.Host, bool) {
	var h sysinfo.Host
	known := ReadCached(string(c), "hosts", endpoint, &h)
	return h, known && h.ID != ""
}

// Write keeps what a machine is.
func (c HostCache) Write(endpoint string, h sysinfo.Host) {
	WriteCached(string(c), "hosts", endpoint, h)
}

// ReadCached reads what other runs have kept in a folder of a cache under a key; false if there is nothing, or no
// cache.
func ReadCached(cache, folder, key string, value any) bool {
	data, err := os.ReadFile(cacheFile(cache, folder, key))
	return cache != "" && err == nil && json.Unmarshal(data, value) == nil
}

// WriteCached keeps a value for other runs, if there is a cache. What cannot be kept is found out again.
func WriteCached(cache, folder, key string, value any) {
	data, err := json.Marshal(value)
	if cache != "" && err == nil {
		_ = files.Write(cacheFile(cache, folder, key), data)
	}
}

func cacheFile(cache, folder, key string) string {
	return filepath.Join(cache, folder, fmt.Sprintf("%x.json", sha256.Sum256([]byte(key))))
}
