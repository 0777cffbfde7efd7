// Package liberationserifbold stands in for a font of the same name.
package liberationserifbold

import "golang.org/x/image/font/gofont/goregular"

var TTF = goregular.TTF
