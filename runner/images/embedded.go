//go:build embedded

package images

import "embed"

// embedded holds the compressed program, which make build puts there before it builds benchbook.
//
//go:embed embedded/*.gz
var embedded embed.FS
