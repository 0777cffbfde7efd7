package article

// Bounds of what an article has several of. Most of them are looked up by name again and again.
const (
	maxExperiments = 500
	maxListings    = 1000
	maxAxes        = 100
	maxNamed       = 500 // services of an experiment, values of the front matter and the like
)
