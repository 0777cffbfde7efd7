// Package liberationmonobold stands in for a font of the same name.
package liberationmonobold

import "golang.org/x/image/font/gofont/goregular"

var TTF = goregular.TTF
