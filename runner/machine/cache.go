package machine

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"benchbook/internal/files"
)

// A Cache is a folder that keeps what was found out about other machines and about images. Empty keeps nothing.
type Cache string

// Host returns what a machine was when it was last connected to, by the endpoint of its engine.
func (c Cache) Host(endpoint string) (Host, bool) {
	var h Host
	return h, c.Read("hosts", endpoint, &h) && h.ID != ""
}

// Hosts returns other machines together as they were last, by their names and endpoints, from this one. It is not ok if
// one was never connected to.
func (c Cache) Hosts(h Host, endpoints map[string]string) (_ Host, ok bool) {
	others := map[string]Host{}
	for name, endpoint := range endpoints {
		if others[name], ok = c.Host(endpoint); !ok {
			return Host{}, false
		}
	}
	return h.Together(others), true
}

// Read reads the value of a key in a folder of the cache.
func (c Cache) Read(folder, key string, value any) bool {
	data, err := os.ReadFile(c.file(folder, key))
	return c != "" && err == nil && json.Unmarshal(data, value) == nil
}

// Write keeps a value, if it can.
func (c Cache) Write(folder, key string, value any) {
	if data, err := json.Marshal(value); c != "" && err == nil {
		_ = files.Write(c.file(folder, key), data) // else it is found out again
	}
}

func (c Cache) file(folder, key string) string {
	return filepath.Join(string(c), folder, fmt.Sprintf("%x.json", sha256.Sum256([]byte(key))))
}
