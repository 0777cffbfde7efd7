package loadgen

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// isRight reports whether an answer passes what is checked on every one.
func isRight(v *Verify, status int, length int64) bool {
	return v.hasRightStatus(status) && hasRightLength(v, length)
}

func hasRightLength(v *Verify, length int64) bool {
	return v == nil || v.Length == nil || length == *v.Length
}

// verifyEach checks what isRight does. The error says what was wanted and what came.
func verifyEach(v *Verify, status int, length int64) error {
	if !v.hasRightStatus(status) {
		if v == nil || len(v.Status) == 0 {
			return fmt.Errorf("wanted a status of 200 to 299, got %d (verify: {status: %d} accepts it)", status, status)
		}
		return fmt.Errorf("wanted status %s, got %d", list(v.Status), status)
	}
	if !hasRightLength(v, length) {
		return fmt.Errorf("wanted a body of %d bytes, got %d", *v.Length, length)
	}
	return nil
}

// verifyAll checks the rest of an answer that passed verifyEach.
func verifyAll(v *Verify, a *whole) error {
	if !a.body.contains.found {
		return fmt.Errorf("wanted a body that contains %q", v.Contains)
	}
	if !a.body.matches() {
		return fmt.Errorf("wanted a body that matches %q", v.Match)
	}
	for _, name := range slices.Sorted(maps.Keys(v.Headers)) {
		if err := a.wantField(name, v.Headers[name]); err != nil {
			return err
		}
	}
	if len(v.JSON) == 0 {
		return nil
	}
	paths := slices.Sorted(maps.Keys(v.JSON))
	if a.body.length > maxJSON {
		return fmt.Errorf("wanted %s in the JSON body, got a body of %d bytes: "+
			"values are looked for in one of at most %d MiB", paths[0], a.body.length, maxJSON>>20)
	}
	var doc any
	dec := json.NewDecoder(bytes.NewReader(a.body.start))
	dec.UseNumber() // so that a long integer equals itself
	if err := dec.Decode(&doc); err != nil {
		return fmt.Errorf("wanted a body in JSON: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("wanted a body in JSON, got one with something after it")
	}
	for _, path := range paths {
		got, err := LookUpJSON(doc, path)
		if err != nil {
			return fmt.Errorf("wanted %s = %s in the JSON body: %w", path, v.JSON[path], err)
		}
		if !sameScalar(got, v.JSON[path]) {
			return fmt.Errorf("wanted %s = %s in the JSON body, got %s", path, v.JSON[path], got)
		}
	}
	return nil
}

// wantField reports whether one of the fields with that name has that value.
func (a *whole) wantField(name, value string) error {
	got := "none"
	for _, f := range a.fields {
		if strings.EqualFold(f.name, name) {
			if f.value == value {
				return nil
			}
			got = strconv.Quote(f.value)
		}
	}
	return fmt.Errorf("wanted header %s: %q, got %s", name, value, got)
}

func sameScalar(got, want string) bool {
	if got == want {
		return true
	}
	x, err := strconv.ParseFloat(got, 64)
	if err != nil {
		return false
	}
	y, err := strconv.ParseFloat(want, 64)
	return err == nil && x == y
}

// list is "200", "200 or 404".
func list(statuses []int) string {
	texts := make([]string, len(statuses))
	for i, status := range statuses {
		texts[i] = strconv.Itoa(status)
	}
	return strings.Join(texts, " or ")
}
