package machine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"benchbook/internal/test/assert"
	"benchbook/internal/test/must"
	"benchbook/notebook/record"
	"benchbook/runner/engine"
)

// Several machines share one ID, which combines their IDs in the order of their names.
func TestTogether(t *testing.T) {
	here := Host{ID: "c2-aaaaaa.1111", Mirrors: []string{"mirror.corp.example"}}
	big := Host{ID: "c8-bbbbbb.2222", Cores: [][]int{{0}}, Facts: map[string]string{"host.cpu": "theirs"}}
	far := Host{ID: "c4-cccccc.3333"}
	all := here.Together(map[string]Host{"far": far, "big": big})
	id := regexp.MustCompile(`^c8\+c4-[0-9a-f]{6}\.[0-9a-f]{4}$`)
	assert.Equal(t, id.MatchString(all.ID), true, "the ID is %s", all.ID)
	other := far
	other.ID = "c4-cccccc.4444"
	if twin := here.Together(map[string]Host{"far": other, "big": big}); twin.ID == all.ID ||
		record.ClassOf(twin.ID) != record.ClassOf(all.ID) {
		t.Errorf("with another machine of the class the ID is %s", twin.ID)
	}
	if all.Facts["hosts.big.host.cpu"] != "theirs" || len(all.CoresOf("big")) != 1 || len(all.Mirrors) != 1 {
		t.Errorf("got %+v", all)
	}
	assert.Equal(t, here.Together(map[string]Host{"big": big}).ID, big.ID, "alone")
	swapped := here.Together(map[string]Host{"big": far, "far": big})
	assert.Equal(t, swapped.ID == all.ID, false, "the ID is the same when two machines have changed places")

	cache := Cache(t.TempDir())
	endpoints := map[string]string{"big": "ssh://big", "far": "ssh://far"}
	cache.Write("hosts", "ssh://big", big)
	_, ok := cache.Hosts(here, endpoints)
	assert.Equal(t, ok, false, "a machine that was never connected to is known")
	cache.Write("hosts", "ssh://far", far)
	known, ok := cache.Hosts(here, endpoints)
	assert.Equal(t, [2]any{known.ID, ok}, [2]any{all.ID, true}, "both are known")
}

// The offset of a clock comes from the answer with the shortest transit, unless that is too old.
func TestClock(t *testing.T) {
	here := time.Unix(1e9, 0)
	var c clock
	for _, step := range []struct {
		name       string
		after, way time.Duration
		want       time.Duration // off
	}{
		{"the first", 0, 20 * time.Millisecond, -20 * time.Millisecond},
		{"a quicker one", time.Minute, 10 * time.Millisecond, -10 * time.Millisecond},
		{"a slower one", 70 * time.Second, 30 * time.Millisecond, -10 * time.Millisecond},
		{"a slower one much later", time.Hour, 30 * time.Millisecond, -30 * time.Millisecond},
	} {
		went := here.Add(step.after + hourAhead)
		c.update(went, here.Add(step.after+step.way))
		assert.Equal(t, c.ahead-hourAhead, step.want, "%s: off by", step.name)
	}
}

// A container runs our agent's part in this process, an hour ahead.
type container struct {
	engine.Container
	exit engine.Exit
	err  error
}

const hourAhead = time.Hour

func (c container) Exec(ctx context.Context, command engine.Command) (engine.Exit, error) {
	if c.err != nil || c.exit.Code != 0 {
		return c.exit, c.err
	}
	var out bytes.Buffer
	if err := Answer(ctx, command.Args[2:], &out); err != nil {
		return engine.Exit{Code: 1, Stderr: []byte(err.Error())}, nil
	}
	var a answer
	if err := json.Unmarshal(out.Bytes(), &a); err != nil {
		return engine.Exit{}, err
	}
	a.Went = a.Went.Add(hourAhead)
	data, err := json.Marshal(a)
	return engine.Exit{Stdout: data}, err
}

// Another machine is asked through its agent, and its answers are converted to our clock.
func TestMachineElsewhere(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- watch(ctx, socket, io.Discard) }()
	defer func() {
		cancel()
		must.Do(<-ended)
	}()
	m := &Machine{Name: "far", agent: container{}}
	assert.Equal(t, [2]bool{m.IsHere(), (&Machine{}).IsHere()}, [2]bool{false, true}, "is this one")
	must.Do(m.ask(t.Context(), &m.Host, askHost))
	assert.Equal(t, m.Host.ID != "", true, "it has an ID")
	if off := hourAhead - m.Ahead(); off < 0 || off > time.Minute {
		t.Errorf("its clock is ahead by %v, want %v", m.Ahead(), hourAhead)
	}
	before := must.Get((&Settler{Longest: time.Nanosecond}).Settle(t.Context(), false, m))
	assert.Equal(t, before.Jitter > 0, true, "got %+v", before)
	for _, c := range []container{{err: errors.New("gone")}, {exit: engine.Exit{Code: 7, Stderr: []byte("gone")}}} {
		m.agent = c
		_, err := m.settle(t.Context(), nil, 0)
		assert.Error(t, err, `"far"`)
		assert.Error(t, err, "gone")
	}
}

// A watch returns its readings since any moment, and ends with its context.
func TestWatch(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	socket, ended := filepath.Join(t.TempDir(), "s"), make(chan error)
	var wrote bytes.Buffer
	go func() { ended <- watch(ctx, socket, &wrote) }()
	var readings Readings
	for deadline := time.Now().Add(20 * time.Second); len(readings) < 3; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("got %+v", readings)
		}
		readings, _ = readingsSince(socket, time.Time{}) // the socket may not be there yet
	}
	if readings[0].Total <= 0 || !readings[1].At.After(readings[0].At) {
		t.Errorf("got %+v", readings)
	}
	rest, err := readingsSince(socket, readings[1].At)
	if err != nil || len(rest) < len(readings)-1 || !rest[0].At.Equal(readings[1].At) {
		t.Errorf("since the second reading: got %+v, %v", rest, err)
	}
	cancel()
	if err := <-ended; err != nil || wrote.String() != Watching+"\n" {
		t.Errorf("it wrote %q and ended with %v", &wrote, err)
	}
}

func TestAnswerRefuses(t *testing.T) {
	for _, args := range [][]string{nil, {"nothing"}, {askRest, "soon"}, {askRest}, {askReadings, "now"}} {
		err := Answer(t.Context(), args, &bytes.Buffer{})
		assert.Equal(t, err != nil, true, "%q is refused", args)
	}
}
