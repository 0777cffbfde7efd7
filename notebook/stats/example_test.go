package stats_test

import (
	"fmt"

	"benchbook/notebook/stats"
)

// A claim is judged by the interval of a ratio, widened by how far the same cell under two names was apart.
func Example() {
	async := stats.Cell{Values: []float64{1200, 1230, 1185}} // answers per second, one value per repetition
	sync := stats.Cell{Values: []float64{1000, 1010, 985}}
	again := stats.Cell{Values: []float64{1004, 990, 1001}} // the same as sync

	floor, err := stats.NoiseFloor([][2]stats.Cell{{sync, again}}, stats.DefaultAlpha, stats.DefaultSmallestEffect)
	if err != nil {
		fmt.Println(err)
		return
	}
	faster, err := stats.Ratio(async, sync, stats.DefaultAlpha)
	if err != nil {
		fmt.Println(err)
		return
	}
	interval := faster.Widen(floor.F, stats.DefaultAlpha)
	fmt.Printf("%.2f times as fast [%.2f, %.2f]\n", faster.Ratio, interval.Lo, interval.Hi)
	fmt.Println("async > sync:", stats.Judge(interval, stats.Greater(stats.DefaultSmallestEffect)))
	fmt.Println("async is twice as fast:", stats.Judge(interval, stats.About(2, 0.1)))
	// Output:
	// 1.21 times as fast [1.16, 1.25]
	// async > sync: supported
	// async is twice as fast: contradicted
}
