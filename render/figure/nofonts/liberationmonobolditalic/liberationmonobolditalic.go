// Package liberationmonobolditalic stands in for a font of the same name.
package liberationmonobolditalic

import "golang.org/x/image/font/gofont/goregular"

var TTF = goregular.TTF
