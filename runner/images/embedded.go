//go:build embedded

package images

import "embed"

// embedded has the program, compressed, which make build puts there before it builds benchbook.
//
//go:embed embedded/*.gz
var embedded embed.FS
