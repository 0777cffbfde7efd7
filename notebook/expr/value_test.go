package expr

import "testing"

// Percentages keep every digit that the share has, in plain digits wherever these can be read.
func TestPercentages(t *testing.T) {
	for share, want := range map[float64]string{
		0: "0%", 0.07: "7%", 1: "100%", 0.125: "12.5%", -0.0123: "-1.23%", 12: "1200%", 1e-9: "1e-07%", 1.5e-6: "0.00015%",
		1.25e15:            "1.25e+17%",
		1000000000000000.1: "1.0000000000000001e+17%", 0.29: "29%", 3.3333: "333.33%",
	} {
		if got := NumberOf(share, Share).String(); got != want {
			t.Errorf("%v prints %s, want %s", share, got, want)
		}
	}
}
