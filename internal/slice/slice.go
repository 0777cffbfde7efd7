// Package slice has what Go's package slices lacks: mapping, filtering, counting and finding; and Memo,
// which computes values once.
package slice

import (
	"slices"
	"sync"
)

// Map returns the results of f for all items; nil for an empty list.
func Map[T, R any](list []T, f func(T) R) []R {
	var out []R
	for _, item := range list {
		out = append(out, f(item))
	}
	return out
}

// Filter returns a new slice with the items for which holds is true; nil if there are none.
func Filter[S ~[]T, T any](list S, holds func(T) bool) S {
	var out S
	for _, item := range list {
		if holds(item) {
			out = append(out, item)
		}
	}
	return out
}

// Count returns the number of items for which holds is true.
func Count[T any](list []T, holds func(T) bool) (n int) {
	for _, item := range list {
		if holds(item) {
			n++
		}
	}
	return n
}

// Find returns the first item for which holds is true; ok is false if the list has none.
func Find[T any](list []T, holds func(T) bool) (item T, ok bool) {
	if i := slices.IndexFunc(list, holds); i >= 0 {
		return list[i], true
	}
	return item, false
}

// FindOrAdd returns the first item of the list for which holds is true, or else appends and returns the given item.
func FindOrAdd[T any](list *[]T, holds func(T) bool, item T) *T {
	i := slices.IndexFunc(*list, holds)
	if i < 0 {
		i, *list = len(*list), append(*list, item)
	}
	return &(*list)[i]
}

// Add appends the items that the list does not contain yet.
func Add[S ~[]T, T comparable](list S, items ...T) S {
	for _, item := range items {
		if !slices.Contains(list, item) {
			list = append(list, item)
		}
	}
	return list
}

// Memo computes and keeps one value for each key. It is safe for concurrent use.
type Memo[K comparable, V any] struct{ known sync.Map }

// Get returns the value of a key. The first call for a key computes it.
func (m *Memo[K, V]) Get(key K, compute func() V) V {
	known, ok := m.known.Load(key)
	if !ok {
		known, _ = m.known.LoadOrStore(key, sync.OnceValue(compute))
	}
	return known.(func() V)()
}
