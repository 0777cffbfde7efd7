package site_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// How long it may take from saving prose until the browser shows it, on a machine with nothing else to do; and on one
// that runs other tests beside this one.
const (
	editToBrowser = 150 * time.Millisecond
	editBeside    = 3 * time.Second
)

var alone = flag.Bool("alone", false, "hold the preview to its time, as this machine does nothing else: make "+
	"bench-preview")

// edited is the article that is edited: the largest of the project, in text and in records.
const edited = "async-vs-sync-web"

// previewed starts the preview of the command on a copy of this project, and gives its address, the folder, and the
// command.
func previewed(t *testing.T) (address, dir, program string) {
	t.Helper()
	program = filepath.Join(t.TempDir(), "benchbook")
	build := exec.Command("go", "build", "-o", program, "./cmd/benchbook")
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	dir = t.TempDir()
	for _, folder := range []string{"experiments", docsFolder} {
		if err := os.CopyFS(filepath.Join(dir, folder), os.DirFS(filepath.Join("..", folder))); err != nil {
			t.Fatal(err)
		}
	}
	project, err := os.ReadFile(filepath.Join("..", "benchbook.yaml"))
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "benchbook.yaml"), project, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "preview", "-C", dir)
	cmd.Stderr = t.Output()
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		if err := cmd.Wait(); err != nil {
			t.Errorf("the preview ended with %v", err)
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	address, _, _ = strings.Cut(strings.TrimPrefix(line, "the preview is at "), ";")
	return address, dir, program
}

// shows resolves, once the page has some text, to when that was, in milliseconds since 1970; to 0 after so many
// milliseconds.
const shows = `((text, limit) => new Promise(resolve => {
	const look = () => document.documentElement.textContent.includes(text) && (o.disconnect(), requestAnimationFrame(() => resolve(performance.timeOrigin + performance.now())));
	const o = new MutationObserver(look);
	o.observe(document, {subtree: true, childList: true, characterData: true});
	setTimeout(() => resolve(0), limit);
	look();
}))`

// What an author sees while writing: prose is there at once, in place; problems lie over the page until they are
// mended; a run in another terminal is seen; and all of that in as many tabs as one likes.
func TestPreviewInBrowser(t *testing.T) {
	ctx := browser(t)
	address, dir, _ := previewed(t)
	article := filepath.Join(dir, "experiments", edited, "article.md")
	text, err := os.ReadFile(article)
	if err != nil {
		t.Fatal(err)
	}
	save := func(data []byte) {
		t.Helper()
		beside := article + "~" // as editors do
		if err := os.WriteFile(beside, data, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(beside, article); err != nil {
			t.Fatal(err)
		}
	}
	// with has a word in the first paragraph of prose that is long enough to be one.
	with := func(word string) []byte {
		lines := bytes.SplitAfter(text, []byte("\n"))
		front, fenced := 0, false
		for i, line := range lines {
			switch {
			case bytes.HasPrefix(line, []byte("---")):
				front++
			case bytes.HasPrefix(line, []byte("```")):
				fenced = !fenced
			case front >= 2 && !fenced && len(line) > 60 && line[0] >= 'A' && line[0] <= 'Z':
				changed := slices.Clone(lines)
				changed[i] = slices.Concat([]byte(word+" "), line)
				return bytes.Join(changed, nil)
			}
		}
		t.Fatal("the article has no prose")
		return nil
	}
	wait := func(ctx context.Context, what string) time.Time {
		t.Helper()
		ms := ask[float64](ctx, t, fmt.Sprintf("%s(%q, 60000)", shows, what))
		if ms == 0 {
			t.Fatalf("waited in vain for %q", what)
		}
		return time.UnixMicro(int64(ms * 1000))
	}
	gone := func(selector string) {
		t.Helper()
		if !ask[bool](ctx, t, fmt.Sprintf(`new Promise(resolve => {
			const end = Date.now() + 60000, look = () => {
				if (!document.querySelector(%q)) resolve(true); else if (Date.now() > end) resolve(false); else setTimeout(look, 20);
			};
			look();
		})`, selector)) {
			t.Fatalf("%s is still there", selector)
		}
	}
	do(ctx, t, chromedp.EmulateViewport(1280, 900), chromedp.Navigate(address+edited+"/index.html"),
		chromedp.WaitReady(chromedp.CSS("main")))

	t.Run("prose is shown at once", func(t *testing.T) {
		bound := editBeside
		if *alone {
			bound = editToBrowser
		}
		var best time.Duration
		for round := range 3 {
			var took []time.Duration
			for i := range 9 {
				word := fmt.Sprintf("Edited%d%d", round, i)
				seen := make(chan time.Time, 1)
				go func() {
					defer close(seen) // also where it waits in vain
					seen <- wait(ctx, word)
				}()
				time.Sleep(100 * time.Millisecond) // the observer is there
				begin := time.Now()
				save(with(word))
				took = append(took, (<-seen).Sub(begin))
			}
			slices.Sort(took)
			median := took[len(took)/2]
			t.Logf("from saving to the frame that shows it: median %v, from %v to %v", median.Round(time.Millisecond),
				took[0].Round(time.Millisecond),
				took[len(took)-1].Round(time.Millisecond))
			if best == 0 || median < best {
				best = median
			}
			if best < bound && !*alone {
				return
			}
		}
		if best >= bound { // other programs can only make it slower
			t.Errorf("it took %v, want less than %v", best, bound)
		}
	})

	t.Run("readers stay where they are", func(t *testing.T) {
		const where = `(() => { const e = document.activeElement, p = window.kept; return {
			Focus: e.getAttribute("aria-describedby") || "", Top: Math.round(p.getBoundingClientRect().top), Open: document.querySelectorAll("details[open]").length,
			Same: document.contains(p) }; })()`
		type place struct {
			Focus     string
			Top, Open int
			Same      bool
		}
		ask[bool](ctx, t, `(() => { const m = [...document.querySelectorAll(".m")], at = m[Math.floor(m.length / 2)];
			document.querySelectorAll("details").forEach(d => d.open = true);
			at.focus(); at.scrollIntoView({block: "center"}); window.kept = at; window.loaded = true; return true; })()`)
		before := ask[place](ctx, t, where)
		if before.Focus == "" {
			t.Fatal("no value has the focus")
		}
		save(with(strings.Repeat("A sentence that makes the paragraph higher than it was before. ", 8) + "Higher1"))
		wait(ctx, "Higher1")
		var after place
		for tries := 0; tries < 50; tries++ { // the page may be about to scroll
			time.Sleep(100 * time.Millisecond)
			after = ask[place](ctx, t, where)
			if d := after.Top - before.Top; d >= -2 && d <= 2 {
				break
			}
		}
		if d := after.Top - before.Top; d < -2 || d > 2 || after.Focus != before.Focus || after.Open != before.Open ||
			!after.Same {
			t.Errorf("the reader was at %+v, and is at %+v", before, after)
		}
		ask[bool](ctx, t, `(() => { const get = window.fetch;
			window.fetch = () => { window.fetch = get; return Promise.reject(new TypeError("Failed to fetch")); };
			return true; })()`)
		save(with("Higher2"))
		wait(ctx, "Higher2")
		if !ask[bool](ctx, t, `window.loaded === true`) {
			t.Error("the page was loaded again")
		}
	})

	t.Run("problems lie over the page until they are mended", func(t *testing.T) {
		broken := bytes.Replace(with("Broken"), []byte("```yaml experiment\n"), []byte("```yaml experiment\nconections: 3\n"),
			1)
		save(broken)
		wait(ctx, `unknown key "conections"`)
		problem := ask[string](ctx, t, `document.querySelector(".benchbook-problems pre").textContent`)
		for _, want := range []string{edited + "/article.md:", "conections: 3", "^~~~~", "[unknown-key]"} {
			if !strings.Contains(problem, want) {
				t.Errorf("%q is not in the problem:\n%s", want, problem)
			}
		}
		if !ask[bool](ctx, t, `document.body.textContent.includes("Higher2")`) {
			t.Error("the page is not as it was")
		}
		// A page that is loaded now has it too.
		do(ctx, t, chromedp.Navigate(address), chromedp.WaitReady(chromedp.CSS(".benchbook-problems")))
		do(ctx, t, chromedp.Navigate(address+edited+"/index.html"), chromedp.WaitReady(chromedp.CSS(".benchbook-problems")))
		do(ctx, t, chromedp.KeyEvent("\x1b"))
		gone(".benchbook-problems")
		save(append(broken, "\n```yaml claim\nname: x\n```\n"...)) // another one is shown again
		do(ctx, t, chromedp.WaitReady(chromedp.CSS(".benchbook-problems")))
		save(with("Mended"))
		wait(ctx, "Mended")
		gone(".benchbook-problems")
	})

	t.Run("a run in another terminal is seen", func(t *testing.T) {
		folder := filepath.Join(dir, ".benchbook")
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		data, err := json.Marshal(map[string]any{"process": os.Getpid(), "article": "hello", "experiment": "gzip", "done": 3,
			"todo": 15, "trial": "level=9", "repetition": 2})
		if err == nil {
			err = os.WriteFile(filepath.Join(folder, "run.json"), data, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
		wait(ctx, "measuring hello#gzip: 3 of 15 done; repetition 2 of level=9")
		if err := os.Remove(filepath.Join(folder, "run.json")); err != nil {
			t.Fatal(err)
		}
		gone(".benchbook-progress")
	})

	t.Run("in many tabs", func(t *testing.T) {
		var tabs []context.Context
		for range 8 { // a browser opens six connections to an address
			tab, cancel := chromedp.NewContext(ctx)
			t.Cleanup(cancel)
			do(tab, t, chromedp.Navigate(address+edited+"/index.html"), chromedp.WaitReady(chromedp.CSS("main")))
			tabs = append(tabs, tab)
		}
		save(with("Everywhere"))
		for _, tab := range tabs {
			if !ask[bool](tab, t, `new Promise(resolve => {
				const end = Date.now() + 60000, look = () => {
					if (document.body.textContent.includes("Everywhere")) resolve(true); else if (Date.now() > end) resolve(false); else setTimeout(look, 20);
				};
				look();
			})`) {
				t.Error("a tab is not up to date")
			}
		}
	})

	t.Run("an article comes and goes", func(t *testing.T) {
		do(ctx, t, chromedp.Navigate(address+"later/"), chromedp.WaitReady(chromedp.CSS(".benchbook-missing")))
		later := filepath.Join(dir, "experiments", "later")
		if err := os.MkdirAll(later, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(later, "article.md"), []byte("---\ntitle: Came later\n---\n\nHere it is.\n"),
			0o644); err != nil {
			t.Fatal(err)
		}
		do(ctx, t, chromedp.WaitReady(chromedp.CSS("main h1")))
		for begin := time.Now(); ask[string](ctx, t,
			`(document.querySelector("main h1") || {}).textContent || ""`) != "Came later"; time.Sleep(50 * time.Millisecond) {
			if time.Since(begin) > time.Minute {
				t.Fatal("the page does not appear")
			}
		}
		if err := os.RemoveAll(later); err != nil {
			t.Fatal(err)
		}
		do(ctx, t, chromedp.WaitReady(chromedp.CSS(".benchbook-missing")))
	})
}
