// Package liberationserifregular stands in for a font of the same name.
package liberationserifregular

import "golang.org/x/image/font/gofont/goregular"

var TTF = goregular.TTF
