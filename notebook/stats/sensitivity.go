package stats

// Sensitivity is whether a conclusion depends on the metric it is drawn by, or on other choices.
type Sensitivity string

const (
	OneMetric      Sensitivity = "one metric"      // fewer than two were measured
	OneAlternative Sensitivity = "one alternative" // fewer than two were measured, of choices that are not only of metrics
	Robust         Sensitivity = "robust"          // all of them say the same
	Weaker         Sensitivity = "weaker"          // some do not decide it
	Reversed       Sensitivity = "reversed"        // one supports what another contradicts
)
