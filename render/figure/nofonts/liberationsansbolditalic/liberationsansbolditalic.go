// Package liberationsansbolditalic stands in for a font of the same name.
package liberationsansbolditalic

import "golang.org/x/image/font/gofont/goregular"

var TTF = goregular.TTF
