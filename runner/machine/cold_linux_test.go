package machine

import "testing"

func TestDropCaches(t *testing.T) {
	if err := CanDropCaches(); err != nil {
		t.Skip(err) // it takes root
	}
	if err := DropCaches(); err != nil {
		t.Error(err)
	}
}
