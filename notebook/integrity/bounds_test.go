package integrity_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"runtime"
	"testing"
	"time"

	"benchbook/notebook/integrity"
	"benchbook/notebook/record"
	"benchbook/notebook/validity"
	"benchbook/slowtest"
)

// numbersIn calls f with each number in JSON, by a way to set it.
func numbersIn(v any, path string, f func(path string, set func(json.Number))) {
	each := func(key string, of any, set func(any)) {
		if _, ok := of.(json.Number); ok {
			f(path+"."+key, func(n json.Number) { set(n) })
			set(of)
			return
		}
		numbersIn(of, path+"."+key, f)
	}
	switch v := v.(type) {
	case map[string]any:
		for key, of := range v {
			if key != "definition" { // as it was written
				each(key, of, func(n any) { v[key] = n })
			}
		}
	case []any:
		for i, of := range v {
			if i < 1 { // those of a list have one range
				each(fmt.Sprint(i), of, func(n any) { v[i] = n })
			}
		}
	}
}

// One number that was edited costs its record, and not the memory of whoever reads it.
func TestNumbersThatAreOutOfAllBounds(t *testing.T) {
	slowtest.SkipSequential(t)
	allocated := func(f func()) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		f()
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	for _, of := range []string{steady, slow, open, commands, ab, ceiling} {
		others := committed(t, of)
		others = others[:min(3, len(others))]
		first := others[0]
		data, err := first.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		check := func(r *record.Record) uint64 {
			all := append([]*record.Record{r}, others[1:]...)
			return allocated(func() {
				integrity.Check(all, time.Now())
				integrity.CheckSeals(all, nil)
				validity.NewReport(all).Level()
				record.Superseded(all, func(*record.Record) bool { return true })
			})
		}
		usual := check(first)
		var text any
		d := json.NewDecoder(bytes.NewReader(data))
		d.UseNumber()
		if err := d.Decode(&text); err != nil {
			t.Fatal(err)
		}
		numbersIn(text, "", func(path string, set func(json.Number)) {
			for _, n := range []int{1_000_000, 1_000_000_000_000} {
				set(json.Number(fmt.Sprint(n * max(1, first.Planned))))
				edited, err := json.Marshal(text)
				if err != nil {
					t.Fatal(err)
				}
				r, err := record.Parse(edited)
				if err != nil {
					continue
				}
				if used := check(r); used > 2*usual+(8<<20) {
					t.Errorf("%s: %s of %d takes %d bytes, and usually it is %d", of, path, n, used, usual)
				}
			}
		})
	}
}
