// Package liberationsansitalic stands in for a font of the same name.
package liberationsansitalic

import "golang.org/x/image/font/gofont/goregular"

var TTF = goregular.TTF
