// Package assert compares what a test got with what it wants. What is compared is named in the words of fmt.Sprintf.
package assert

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// Equal fails the test unless got is want.
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

// Slice fails the test unless got has the elements of want.
func Slice[T comparable](t testing.TB, got, want []T, what ...any) {
	t.Helper()
	if !slices.Equal(got, want) {
		differ(t, got, want, what)
	}
}

// Map fails the test unless got has the entries of want.
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

// Error fails the test unless there is an error that says this.
func Error(t testing.TB, err error, says string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), says) {
		t.Errorf("got error %v, want %q", err, says)
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
