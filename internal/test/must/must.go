// Package must ends a test at the first unexpected error.
package must

// Do panics on an error.
func Do(err error) {
	if err != nil {
		panic(err)
	}
}

// Get returns v, and panics on an error.
func Get[T any](v T, err error) T {
	Do(err)
	return v
}

// Two returns a and b, and panics on an error.
func Two[A, B any](a A, b B, err error) (A, B) {
	Do(err)
	return a, b
}
