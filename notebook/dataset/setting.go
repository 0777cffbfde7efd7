package dataset

import "strings"

// Setting writes a value of a parameter: "1 trip" and "4 workers" for counts, else "pool = 10".
func Setting(name, value string) string {
	isCount := value != "" && strings.Trim(value, "0123456789") == ""
	isPlural := strings.HasSuffix(name, "s") && !strings.HasSuffix(name, "ss") && !strings.HasSuffix(name, "us") &&
		!strings.HasSuffix(name, "is") && !strings.ContainsAny(name, "_-.") && name != "series"
	switch {
	case !isCount || !isPlural:
		return name + " = " + value
	case value != "1":
		return value + " " + name
	case strings.HasSuffix(name, "caches"), strings.HasSuffix(name, "cookies"):
		return "1 " + strings.TrimSuffix(name, "s")
	case strings.HasSuffix(name, "ies"):
		return "1 " + strings.TrimSuffix(name, "ies") + "y"
	case strings.HasSuffix(name, "sses"), strings.HasSuffix(name, "xes"), strings.HasSuffix(name, "ches"):
		return "1 " + strings.TrimSuffix(name, "es")
	}
	return "1 " + strings.TrimSuffix(name, "s")
}
