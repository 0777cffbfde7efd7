package kernel

import (
	"slices"
	"testing"
)

func TestOffloads(t *testing.T) {
	got := offloads(map[string]bool{"tx-tcp-segmentation": true, "tx-tcp6-segmentation": true, "rx-gro": false,
		"tx-checksum-ip-generic": true,
		"tx-checksum-sctp":       true, "tx-generic-segmentation": true})
	if want := []string{"gso", "tso", "tx-checksum"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
