// Package liberationserifitalic stands in for a font of the same name.
package liberationserifitalic

import "golang.org/x/image/font/gofont/goregular"

var TTF = goregular.TTF
