package docker

import (
	"errors"
	"regexp"
	"strings"

	"github.com/containerd/errdefs"

	"benchbook/runner/engine"
)

var (
	// refusal has the engine's words for requests that it cannot meet, where it has no status for them.
	refusal = regexp.MustCompile(
		`unable to find (user|group)|no matching entries in (passwd|group) file|Cannot mkdir: .* is not a directory|` +
			`requested CPUs are not available|invalid signal|OCI (runtime|permission)`)
	// shortage has its words for a machine that has run short of something, with the same status.
	shortage = regexp.MustCompile(
		`no space left|[Cc]annot allocate memory|[Rr]esource temporarily unavailable|[Tt]oo many open files|` +
			`[Dd]evice or resource busy|all predefined address pools`)
	// stages are what the library, the engine and its runtime put before the cause.
	stages = regexp.MustCompile(`^(?s:.*)(?:Error response from daemon|OCI runtime create failed|runc create failed|` +
		`unable to start container process|error during container init): `)
)

// rejected makes an *engine.RejectedError of an error with which a container could not be made or started because of
// what was asked for. Other errors stay as they are.
func rejected(name string, err error) error {
	if err == nil || errors.As(err, new(*engine.RejectedError)) {
		return err
	}
	text := err.Error()
	if shortage.MatchString(text) || !errdefs.IsInvalidArgument(err) && !refusal.MatchString(text) {
		return err
	}
	text = strings.TrimSuffix(stages.ReplaceAllString(text, ""), ": unknown")
	return &engine.RejectedError{Name: name, Err: errors.New(text)}
}
