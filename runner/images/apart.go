//go:build !embedded

package images

import "embed"

// embedded is empty, because a plain go build must not use the program that an older make build left.
var embedded embed.FS
