// Package assert compares what a test got with what it wants. The arguments what name the value, as for fmt.Sprintf.
package assert

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// Equal fails the test unless got equals want.
func Equal[T comparable](t testing.TB, got, want T, what ...any) {
	t.Helper()
	if got != want {
		differ(t, got, want, what)
	}
}

// Deep fails the test unless got and want are deeply equal.
func Deep(t testing.TB, got, want any, what ...any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		differ(t, got, want, what)
	}
}

// Slice fails the test unless got and want have the same elements in the same order.
func Slice[T comparable](t testing.TB, got, want []T, what ...any) {
	t.Helper()
	if !slices.Equal(got, want) {
		differ(t, got, want, what)
	}
}

// None fails the test with each item of a list that should be empty.
func None[T any](t testing.TB, list []T) {
	t.Helper()
	for _, item := range list {
		t.Error(item)
	}
}

// Map fails the test unless got and want have the same entries.
func Map[K, V comparable](t testing.TB, got, want map[K]V, what ...any) {
	t.Helper()
	if !maps.Equal(got, want) {
		differ(t, got, want, what)
	}
}

// Contains fails the test unless the text contains all of these.
func Contains(t testing.TB, text string, all ...string) {
	t.Helper()
	for _, want := range all {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %.2000s", want, text)
		}
	}
}

// Lacks fails the test if the text contains one of these.
func Lacks(t testing.TB, text string, all ...string) {
	t.Helper()
	for _, unwanted := range all {
		if strings.Contains(text, unwanted) {
			t.Errorf("there is %q in %.2000s", unwanted, text)
		}
	}
}

// Near fails the test if got and want differ by more than by.
func Near(t testing.TB, got, want, by float64, what ...any) {
	t.Helper()
	if got != want && !(math.Abs(got-want) <= by) {
		differ(t, got, want, what)
	}
}

// Error fails the test unless err has a message that contains says.
func Error(t testing.TB, err error, says string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), says) {
		t.Errorf("got error %v, want %q", err, says)
	}
}

// Is fails the test unless err is or wraps target.
func Is(t testing.TB, err, target error, what ...any) {
	t.Helper()
	if !errors.Is(err, target) {
		differ(t, err, target, what)
	}
}

func differ(t testing.TB, got, want any, what []any) {
	t.Helper()
	named := ""
	if len(what) > 0 {
		named = fmt.Sprintf(what[0].(string), what[1:]...) + ": "
	}
	if text, ok := got.(string); ok && !strings.Contains(text, "\n") {
		t.Errorf("%s\n got %q\nwant %q", named, got, want)
		return
	}
	t.Errorf("%s\n got %+v\nwant %+v", named, got, want)
}
