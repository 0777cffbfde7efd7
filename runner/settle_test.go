package runner

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/runner/sysinfo"
)

// settlerOf is a Settler of a machine of four CPUs, which tells no more than its noise.
func settlerOf(t *testing.T, noise *sysinfo.Noise) *sysinfo.Settler {
	root := t.TempDir()
	online := filepath.Join(root, "sys/devices/system/cpu/online")
	if err := errors.Join(os.MkdirAll(filepath.Dir(online), 0o755), os.WriteFile(online, []byte("0-3\n"),
		0o644)); err != nil {
		t.Fatal(err)
	}
	return &sysinfo.Settler{Root: root, Noise: func(context.Context) sysinfo.Noise { return *noise }, Write: func() {}}
}

// Before each repetition the machine is looked at, which is part of its time.
func TestRecordTellsWhatWasBefore(t *testing.T) {
	noise := sysinfo.Noise{Jitter: time.Millisecond, Runnable: 4}
	r, store := newRunner(newFake(t), &quiet{}), &memory{}
	r.Settler = settlerOf(t, &noise)
	r.Settler.Pause = func(ctx context.Context) error {
		noise.Runnable = 0
		return ctx.Err()
	}
	if _, err := r.Run(t.Context(), socketsPlan(t), store, Options{}); err != nil {
		t.Fatal(err)
	}
	for i, rec := range store.records {
		_, timed := rec.Parts["settle"]
		if rec.Before == nil || !rec.Before.Settled || rec.Before.Jitter != 0.001 || !timed {
			t.Fatalf("record %d: %+v, parts %v", i, rec.Before, rec.Parts)
		}
		if waited := slices.Contains(rec.Before.For, "programs of others"); waited != (i == 0) {
			t.Errorf("record %d waited for %v", i, rec.Before.For)
		}
	}
}

// After a disturbed repetition a run waits longer for rest, but not a quick one.
func TestQuickRunsDoNotWaitLonger(t *testing.T) {
	for profile, most := range map[string]float64{plan.Full: 30, plan.Quick: 3} {
		now := time.Unix(0, 0)
		r := newRunner(newFake(t), &quiet{})
		r.Settler = settlerOf(t, &sysinfo.Noise{Runnable: 4})
		r.Settler.Now = func() time.Time { return now }
		r.Settler.Pause = func(ctx context.Context) error {
			now = now.Add(time.Second / 2)
			return ctx.Err()
		}
		p := socketsPlan(t)
		p.Profile = profile
		rec := &record.Record{Parts: map[string]float64{}}
		one := newTestBench(r, p, p.Experiments[0])
		one.disturbed = true
		if err := one.settle(t.Context(), rec); err != nil {
			t.Fatal(err)
		}
		if rec.Before.Settled || rec.Before.Waited != most {
			t.Errorf("profile %s: it waits %g s, want %g", profile, rec.Before.Waited, most)
		}
	}
}
