//go:build embedded

package programs

import "embed"

// files has the program, compressed, which make build puts there before it builds benchbook.
//
//go:embed embedded/*.gz
var files embed.FS
