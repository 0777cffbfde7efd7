//go:build !embedded

package images

import "embed"

// embedded is empty: a plain go build must not take the program that an older make build has left.
var embedded embed.FS
