package expr_test

import (
	"errors"
	"fmt"
	"strings"

	"benchbook/notebook/expr"
)

// An error points into the source, so that a caller can show the place.
func ExampleParse() {
	src := `throughput{server="async"} = 100/s`
	_, err := expr.Parse(src)
	var e *expr.Error
	if errors.As(err, &e) {
		fmt.Println(src)
		fmt.Println(strings.Repeat(" ", e.Span.Start) + "^ " + e.Msg)
		fmt.Println(e.Hint)
	}
	// Output:
	// throughput{server="async"} = 100/s
	//                            ^ = does not compare
	// write ==
}

// A filter picks among cells by the texts of their parameters.
func ExampleWhere() {
	filter, err := expr.Parse(`source == "document" and size >= 1MB`)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, size := range []string{"500kB", "10MB"} {
		cell := map[string]string{"source": "document", "size": size}
		picked, err := expr.Where(filter, func(name string) (string, bool) {
			text, ok := cell[name]
			return text, ok
		})
		fmt.Println(size, picked, err)
	}
	// Output:
	// 500kB false <nil>
	// 10MB true <nil>
}
