package agent

import (
	"context"
	"encoding/json"
	"net"
	"strings"
	"testing"
	"time"
)

// Whoever asks learns the names of its own space, and nothing else; a program may begin once its token is known.
func TestNamesOfASpace(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	free, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.LocalAddr().String()
	free.Close()
	served := make(chan error, 1)
	serving, stop := context.WithCancel(ctx)
	go func() { served <- AnswerNames(serving, address) }()
	defer func() {
		stop()
		if err := <-served; err != nil {
			t.Errorf("AnswerNames: %v", err)
		}
	}()
	table, err := json.Marshal(Names{
		Clients: map[string]string{"127.0.0.1": "ours"},
		Spaces: map[string]map[string][]string{
			"ours":   {"server": {"10.0.0.1"}, "pool": {"10.0.0.1", "10.0.0.2"}},
			"theirs": {"secret": {"10.0.0.3"}},
		},
		Tokens: []string{"token"},
	})
	if err != nil {
		t.Fatal(err)
	}
	began := make(chan error, 1)
	go func() { began <- askFor(ctx, address, "token") }()
	select {
	case err := <-began:
		t.Fatalf("it began before its token was known: %v", err)
	case <-time.After(4 * askEvery):
	}
	for err = TellNames(strings.NewReader(string(table))); err != nil &&
		ctx.Err() == nil; err = TellNames(strings.NewReader(string(table))) {
		time.Sleep(time.Millisecond)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := <-began; err != nil {
		t.Errorf("it did not begin: %v", err)
	}
	resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", address)
	}}
	tests := []struct {
		name string
		want int // addresses
	}{{"server", 1}, {"SERVER", 1}, {"pool", 2}, {"secret", 0}, {"example.com", 0}}
	for _, tt := range tests {
		found, err := resolver.LookupHost(ctx, tt.name+".")
		var unknown *net.DNSError
		switch {
		case tt.want > 0 && (err != nil || len(found) != tt.want):
			t.Errorf("%s has the addresses %v, %v; want %d", tt.name, found, err, tt.want)
		case tt.want == 0 && (!asDNS(err, &unknown) || !unknown.IsNotFound):
			t.Errorf("%s: got %v, %v; want that it is not known", tt.name, found, err)
		}
	}
}

func asDNS(err error, into **net.DNSError) bool {
	found, ok := err.(*net.DNSError)
	*into = found
	return ok
}
