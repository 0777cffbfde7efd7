// Package liberationmonoregular stands in for a font of the same name.
package liberationmonoregular

import "golang.org/x/image/font/gofont/goregular"

var TTF = goregular.TTF
