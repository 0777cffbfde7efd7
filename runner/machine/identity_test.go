package machine

import (
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"testing"

	"benchbook/internal/test/must"
)

// machineRoot is the root directory of a machine with an ID and a UUID.
func machineRoot(t *testing.T, id, uuid string) string {
	t.Helper()
	root := t.TempDir()
	for name, content := range map[string]string{"etc/machine-id": id, "sys/class/dmi/id/product_uuid": uuid} {
		path := filepath.Join(root, name)
		must.Do(os.MkdirAll(filepath.Dir(path), 0o755))
		must.Do(os.WriteFile(path, []byte(content+"\n"), 0o644))
	}
	return root
}

func TestIdentity(t *testing.T) {
	root, state := machineRoot(t, "0123", "4567"), filepath.Join(t.TempDir(), "state")
	of := func(root, state string) string {
		t.Helper()
		return must.Get(identity(root, state))
	}
	first := of(root, state)
	if !regexp.MustCompile(`^[0-9a-f]{4}$`).MatchString(first) {
		t.Errorf("the identity is %q", first)
	}
	if again := of(root, state); again != first {
		t.Errorf("it is %s, then %s", first, again)
	}
	for _, tt := range []struct{ name, root, state string }{
		{"another machine ID", machineRoot(t, "0124", "4567"), state},
		{"another UUID", machineRoot(t, "0123", "4568"), state},
		{"a clone", root, filepath.Join(t.TempDir(), "state")},
	} {
		if other := of(tt.root, tt.state); other == first {
			t.Errorf("%s has the same identity, %s", tt.name, first)
		}
	}
	must.Do(os.WriteFile(filepath.Join(state, "id"), []byte("torn"), 0o644))
	if id, err := identity(root, state); err == nil {
		t.Errorf("a damaged number gives %s", id)
	}
}

// Processes that make the random number at once get the same.
func TestIdentityAtOnce(t *testing.T) {
	root, state := machineRoot(t, "0123", "4567"), filepath.Join(t.TempDir(), "state")
	ids := make([]string, 16)
	var all sync.WaitGroup
	for i := range ids {
		all.Go(func() { ids[i], _ = identity(root, state) })
	}
	all.Wait()
	for _, id := range ids {
		if id == "" || id != ids[0] {
			t.Fatalf("the identities are %q", ids)
		}
	}
}
