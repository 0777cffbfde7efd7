// Package slice has what Go's package slices lacks: mapping, filtering, counting and finding; and Memo,
// which computes values once.
package slice

import (
	"slices"
	"sync"
)

// Map returns f of each item; nil for none.
func Map[T, R any](list []T, f func(T) R) []R {
	var out []R
	for _, item := range list {
		out = append(out, f(item))
	}
	return out
}

// Filter returns the items for which holds is true, in a new slice; nil for none.
func Filter[S ~[]T, T any](list S, holds func(T) bool) S {
	var out S
	for _, item := range list {
		if holds(item) {
			out = append(out, item)
		}
	}
	return out
}

// Count returns how many items holds is true for.
func Count[T any](list []T, holds func(T) bool) (n int) {
	for _, item := range list {
		if holds(item) {
			n++
		}
	}
	return n
}

// Find returns the first item for which f holds; false without one.
func Find[T any](list []T, holds func(T) bool) (item T, ok bool) {
	if i := slices.IndexFunc(list, holds); i >= 0 {
		return list[i], true
	}
	return item, false
}

// FindOrAdd returns the first item that holds, else the given one, which it appends to the list.
func FindOrAdd[T any](list *[]T, holds func(T) bool, item T) *T {
	i := slices.IndexFunc(*list, holds)
	if i < 0 {
		i, *list = len(*list), append(*list, item)
	}
	return &(*list)[i]
}

// Add appends the items that all does not have yet.
func Add[S ~[]T, T comparable](list S, items ...T) S {
	for _, item := range items {
		if !slices.Contains(list, item) {
			list = append(list, item)
		}
	}
	return list
}

// Memo computes values once, by key. Several goroutines can use it.
type Memo[K comparable, V any] struct{ known sync.Map }

// Get returns the value of a key, which compute returns.
func (m *Memo[K, V]) Get(key K, compute func() V) V {
	known, ok := m.known.Load(key)
	if !ok {
		known, _ = m.known.LoadOrStore(key, sync.OnceValue(compute))
	}
	return known.(func() V)()
}
