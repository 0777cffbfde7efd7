// Package liberationsansregular stands in for a font of the same name.
package liberationsansregular

import "golang.org/x/image/font/gofont/goregular"

var TTF = goregular.TTF
