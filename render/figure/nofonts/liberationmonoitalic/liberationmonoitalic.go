// Package liberationmonoitalic stands in for a font of the same name.
package liberationmonoitalic

import "golang.org/x/image/font/gofont/goregular"

var TTF = goregular.TTF
