// Package liberationserifbolditalic stands in for a font of the same name.
package liberationserifbolditalic

import "golang.org/x/image/font/gofont/goregular"

var TTF = goregular.TTF
