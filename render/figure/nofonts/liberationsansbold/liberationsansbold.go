// Package liberationsansbold stands in for a font of the same name.
package liberationsansbold

import "golang.org/x/image/font/gofont/goregular"

var TTF = goregular.TTF
