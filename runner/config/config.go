// Package config reads what the small programs are told that go into containers. What one of them does not know was
// meant for another version of it, and is an error: it never runs on half of its settings.
package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Config is the settings of a program.
type Config[T any] interface {
	*T
	// Validate reports the first thing that rules out running with them, in words that name the field.
	Validate() error
}

// Read reads one T in JSON and validates it. Unknown fields and anything after it are errors.
func Read[T any, C Config[T]](r io.Reader) (T, error) {
	var c, none T
	d := json.NewDecoder(r)
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return none, fmt.Errorf("reading config: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return none, errors.New("reading config: more than one JSON document")
	}
	return c, C(&c).Validate()
}
