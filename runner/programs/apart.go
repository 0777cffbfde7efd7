//go:build !embedded

package programs

import "embed"

// files is empty: a plain go build must not take the program that an older make build has left.
var files embed.FS
