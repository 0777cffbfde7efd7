package site_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// tooltips are what opens beside something that is pointed at or has the focus, and what each must say; a number of
// others has no interval.
var tooltips = []struct {
	of, tooltip string
	says        []string
}{
	{".m", ".tooltip", []string{"95\u202f% interval of 5", "Cell", "2026"}},
	{".given", ".tooltip", []string{"Published by Async 101 and why it matters"}},
	{"svg .hit", ".tip", []string{"interval 744 to 762/s", "repetitions"}},
}

// A tooltip is what is to be seen of one: where it and its owner are, whether it is open, and whether all of it is in
// the window and on top.
type tooltip struct {
	Open, Within, OnTop, Focused bool
	Words                        string
	Owner, Box                   struct{ X, Y, Width, Height float64 }
}

// slipOf gives a script that finds the n-th of what is to be seen, and its tooltip.
func slipOf(of, class string, n int, then string) string {
	return fmt.Sprintf(`(() => {
		const owner = Array.from(document.querySelectorAll(%q)).filter(e => e.getClientRects().length > 0)[%d], tooltip = owner.querySelector(%q);
		%s
		const box = tooltip.getBoundingClientRect(), at = (owner.querySelector(".area") || owner).getBoundingClientRect();
		const open = getComputedStyle(tooltip).display !== "none" && box.width > 50 && box.height > 15;
		const within = box.left >= 0 && box.top >= 0 && box.right <= document.documentElement.clientWidth && box.bottom <= innerHeight;
		const onTop = [[.5, .5], [.05, .1], [.95, .9]].every(([x, y]) => tooltip.contains(document.elementFromPoint(box.x + x * box.width, box.y + y * box.height)));
		return {Open: open, Within: within, OnTop: onTop, Focused: document.activeElement === owner, Words: tooltip.textContent,
			Owner: {X: at.x, Y: at.y, Width: at.width, Height: at.height}, Box: {X: box.x, Y: box.y, Width: box.width, Height: box.height}};
	})()`, of, n, class, then)
}

// A value, a number of others, and what a figure draws say where they come from to a mouse and to the keyboard, without
// a script: at once, within the window wherever they stand in it, for as long as the pointer is at them or at what they
// say, and no longer (WCAG 2.2, 1.4.13).
func TestBrowserTooltips(t *testing.T) {
	t.Parallel()
	ctx := browser(t)
	dir := t.TempDir()
	build(t, samplePages(t), dir)
	do(ctx, t, runScripts(false))
	for i, width := range []int{1280, 375} {
		for j, scheme := range lightAndDark {
			do(ctx, t, openIn(dir, "sockets/index.html", width, scheme))
			for _, s := range tooltips {
				count := ask[int](ctx, t, fmt.Sprintf(
					`Array.from(document.querySelectorAll(%q)).filter(e => e.getClientRects().length > 0).length`, s.of))
				if count == 0 {
					t.Fatalf("%d wide: there is no %s", width, s.of)
				}
				places := map[int]string{0: "end", count - 1: "start"}
				if s.tooltip == ".tip" { // which is within its drawing, wherever that is
					places = map[int]string{0: "center", count - 1: "center"}
				}
				if i == j { // colours move nothing
					places = map[int]string{0: "center"}
				}
				for n, block := range places {
					opensTooltip(ctx, t, fmt.Sprintf("%s %d at the %s of a window %d wide, %s", s.of, n, block, width, scheme), s.of,
						s.tooltip, n, block, s.says)
				}
			}
		}
	}
}

// Where scripts run Escape puts a tooltip away without the pointer or the focus being moved, and it opens again when it
// is come to again.
func TestBrowserTooltipsAreDismissed(t *testing.T) {
	t.Parallel()
	ctx := browser(t)
	dir := t.TempDir()
	build(t, samplePages(t), dir)
	found := listen(ctx, t)
	do(ctx, t, openIn(dir, "sockets/index.html", 1280, "light"))
	for _, s := range tooltips {
		at := ask[tooltip](ctx, t, slipOf(s.of, s.tooltip, 0, `owner.scrollIntoView({block: "center"});`)).Owner
		come := map[string]chromedp.Action[chromedp.Void]{
			"the pointer": pointAt(at.X+at.Width/2, at.Y+at.Height/2),
			"the focus":   chromedp.Focus(chromedp.CSS(s.of)),
		}
		for how, step := range come {
			leave := chromedp.Steps(pointAt(1, 1), chromedp.Blur(chromedp.CSS(s.of)))
			var open []bool
			for _, steps := range []chromedp.Action[chromedp.Void]{step, chromedp.KeyEvent(kb.Escape),
				chromedp.Steps(leave, step)} {
				do(ctx, t, steps)
				open = append(open, ask[tooltip](ctx, t, slipOf(s.of, s.tooltip, 0, "")).Open)
			}
			if want := []bool{true, false, true}; !slices.Equal(open, want) {
				t.Errorf("%s at %s: when it comes, after Escape, and when it comes again the tooltip is open %v, want %v", how,
					s.of, open, want)
			}
			do(ctx, t, leave)
		}
	}
	// The focus is not lost with the link that has it.
	do(ctx, t, chromedp.Focus(chromedp.CSS(".m")), chromedp.KeyEvent(kb.Tab))
	before := ask[string](ctx, t, `document.activeElement.tagName + " " + !!document.activeElement.closest(".m .tooltip")`)
	do(ctx, t, chromedp.KeyEvent(kb.Escape))
	if after := ask[string](ctx, t, `document.activeElement.tagName + " " + document.activeElement.matches(".m.dismissed")`); before != "A true" || after != "SPAN true" {
		t.Errorf("Escape leads from %q to %q, want the value of the link", before, after)
	}
	// From one part of a figure to the next, beside what the first says, the pointer may go in one go.
	for n := range 2 {
		at := ask[tooltip](ctx, t, slipOf("svg .hit", ".tip", n, `owner.scrollIntoView({block: "center"});`)).Owner
		do(ctx, t, pointAt(at.X+10, at.Y+at.Height/2))
		if !ask[bool](ctx, t, fmt.Sprintf(
			`new Promise(done => { let n = 0; const ask = () => document.querySelectorAll(".hit")[%d].matches(":hover") ? done(true) : ++n > 80 ? done(false) : setTimeout(ask, 25); ask(); })`, n)) {
			t.Errorf("the pointer does not come to part %d of a figure", n)
		}
	}
	found.report(t)
}

// opensTooltip points at the n-th of something, goes over to its tooltip and away, and then comes to it and leaves it
// by the keyboard.
func opensTooltip(ctx context.Context, t *testing.T, name, of, class string, n int, block string, says []string) {
	t.Helper()
	state := func() tooltip { return ask[tooltip](ctx, t, slipOf(of, class, n, "")) }
	check := func(how string) tooltip {
		s := state()
		if !s.Open || !s.Within || !s.OnTop && !s.Focused {
			t.Errorf("%s, %s: the tooltip is open %t, within the window %t, on top %t: %+v", name, how, s.Open, s.Within,
				s.OnTop, s)
		}
		for _, words := range says {
			if n == 0 && !strings.Contains(s.Words, words) {
				t.Errorf("%s says %q, want %q in it", name, s.Words, words)
			}
		}
		return s
	}
	do(ctx, t, pointAt(1, 1))
	s := ask[tooltip](ctx, t, slipOf(of, class, n, `document.activeElement.blur(); owner.scrollIntoView({block: "`+block+
		`"});`))
	if s.Open {
		t.Errorf("%s: the tooltip is open before anything is pointed at", name)
	}
	x, y := s.Owner.X+s.Owner.Width/2, s.Owner.Y+s.Owner.Height/2
	do(ctx, t, pointAt(x, y))
	s = check("pointed at")
	// The way over to the tooltip is gone in small steps from the edge, down or up.
	x = math.Max(s.Box.X+8, math.Min(x, s.Box.X+s.Box.Width-8))
	from, step := s.Owner.Y+s.Owner.Height-1, 2.0
	if s.Box.Y < s.Owner.Y {
		from, step = s.Owner.Y+1, -2
	}
	for i := range 7 {
		do(ctx, t, pointAt(x, from+float64(i)*step))
	}
	check("pointed at itself")
	do(ctx, t, pointAt(1, 1))
	if state().Open {
		t.Errorf("%s: the tooltip stays when the pointer has left", name)
	}
	for tries := 0; tries < 4 && !state().Focused; tries++ { // what is before it may have a tooltip with links
		if tries == 0 {
			ask[bool](ctx, t, fmt.Sprintf(focusBefore, of, n))
		}
		do(ctx, t, chromedp.KeyEvent(kb.Tab))
	}
	if s = check("focused"); !s.Focused {
		t.Errorf("%s: Tab does not lead to it", name)
	}
	for range 3 { // a tooltip may have a link, or two
		do(ctx, t, chromedp.KeyEvent(kb.Tab))
		if !ask[bool](ctx, t, fmt.Sprintf(
			`Array.from(document.querySelectorAll(%q)).filter(e => e.getClientRects().length > 0)[%d].contains(document.activeElement)`, of, n)) {
			break
		}
		check("its link focused")
	}
	if state().Open {
		t.Errorf("%s: the tooltip stays when the focus has left", name)
	}
}

// focusBefore gives the focus to what Tab would leave for the n-th of something.
const focusBefore = `(() => {
	const owner = Array.from(document.querySelectorAll(%q)).filter(e => e.getClientRects().length > 0)[%d];
	const stops = Array.from(document.querySelectorAll("a[href], summary, [tabindex='0']")).filter(e => e.checkVisibility());
	stops[stops.indexOf(owner) - 1].focus();
	return true;
})()`

// pointAt moves the mouse.
func pointAt(x, y float64) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, input.DispatchMouseEvent,
			input.DispatchMouseEventParams{Type: input.DispatchMouseEventTypeMouseMoved, X: x, Y: y})
		return err
	})
}
