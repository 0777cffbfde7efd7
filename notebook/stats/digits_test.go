package stats

import (
	"math"
	"testing"
)

// Digits follows docs/figures.md#digits.
func TestDigits(t *testing.T) {
	for _, test := range []struct {
		resolution float64
		want       int
	}{{0.001, 4}, {0.0025, 3}, {0.01, 3}, {0.025, 2}, {0.1, 2}, {0.3, 1}, {1, 1}, {3, 1}} {
		if got := Digits(test.resolution); got != test.want {
			t.Errorf("Digits(%v) = %d, want %d", test.resolution, got, test.want)
		}
	}
	const centre = 486.67
	if got := Digits(0.001 * centre / centre); got != 4 {
		t.Errorf("a thousandth of %v has %d digits, want 4", centre, got)
	}
}

func TestLastDigit(t *testing.T) {
	for _, test := range []struct{ value, resolution, want float64 }{
		{1.1, 0.001, 0.001}, {0.9, 0.001, 0.0001}, {-486.67, 0.001, 0.1}, {2, 0.1, 0.1}, {12345, 0.001, 10},
	} {
		if got := LastDigit(test.value, test.resolution); math.Abs(got/test.want-1) > 1e-12 {
			t.Errorf("LastDigit(%v, %v) = %v, want %v", test.value, test.resolution, got, test.want)
		}
	}
}
