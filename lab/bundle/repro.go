package bundle

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/docker/go-units"

	"benchbook/internal/files"
	"benchbook/internal/phrase"
	"benchbook/internal/slice"
	"benchbook/lab"
	"benchbook/lab/measure"
	"benchbook/lab/pages"
	"benchbook/lab/show"
	"benchbook/lab/terminal"
	"benchbook/notebook/article"
	"benchbook/notebook/dataset"
	"benchbook/notebook/plan"
	"benchbook/notebook/record"
	"benchbook/notebook/stats"
)

// ReproOptions select where a bundle is extracted and how it is measured.
type ReproOptions struct {
	Into string // folder for the bundle; ARTICLE.repro by default
	measure.Options
}

const (
	quickTime = 5 * time.Minute // budget of --quick, unless --budget is given
	large     = 1 << 30         // bytes; repro asks before it downloads or writes more
)

// Repro extracts a bundle, says what it would run, asks, and measures its article on this machine. Then it prints and
// renders the results of both machines. A second call resumes in the same folder.
func Repro(ctx context.Context, a *lab.Session, from string, o ReproOptions) (err error) {
	r := &reproduction{Session: a, options: o}
	if a.JSON { // JSON is printed at the end, and text goes to standard error
		stdout := a.Stdout
		a.Stdout, a.JSON = a.Stderr, false
		defer func() {
			a.Stdout, a.JSON = stdout, true
			err = a.JoinErrors(err, lab.PrintJSON(stdout, claimsJSON{r.there.Verdicts(), r.here.Verdicts()}))
		}()
	}
	if err := r.open(ctx, from); err != nil {
		return lab.Interrupted(ctx, err)
	}
	if err := r.prepare(); err != nil {
		return err
	}
	r.printOrigin()
	list := []*lab.Article{r.article}
	planned, err := show.Plan(ctx, a, r.project, list)
	if err != nil {
		return lab.Interrupted(ctx, err)
	}
	planned.Text(a.Stdout, false)
	if err := r.confirm("measure it?", "nothing was measured"); err != nil {
		return err
	}
	r.options.Asking = measure.Asked
	err = measure.Run(ctx, a, r.project, list, r.options.Options)
	outcomes, none := show.Outcomes(a, r.project, list, r.options.Profile)
	if ctx.Err() != nil || none != nil {
		return a.JoinErrors(err, none)
	}
	return a.JoinErrors(err, r.report(outcomes))
}

// reproduction is an extracted bundle that is measured on this machine.
type reproduction struct {
	*lab.Session
	manifest manifest
	digest   string
	options  ReproOptions
	dir      string
	project  *article.Project
	article  *lab.Article
	records  []*record.Record // the author's
	there    *show.Article    // results of the author; nil without records
	here     *show.Article    // results of this machine; nil until measured
}

// open extracts the bundle into its folder.
func (r *reproduction) open(ctx context.Context, from string) error {
	defer r.AwaitOnInterrupt(ctx)()
	ask := func() error {
		return r.confirm(fmt.Sprintf("fetch more than %s?", units.BytesSize(large)), "nothing was written")
	}
	stream, err := r.openStream(ctx, from, ask)
	if err != nil {
		return err
	}
	if address, err := url.Parse(from); err == nil && address.User != nil {
		from = address.Redacted()
	}
	defer stream.Close()
	sum := sha256.New()
	if _, err = io.Copy(sum, files.Stream{Context: ctx, Reader: stream}); err == nil {
		_, err = stream.Seek(0, io.SeekStart)
	}
	if err != nil {
		return err
	}
	in, err := openArchive(files.Stream{Context: ctx, Reader: stream})
	if err != nil {
		return fmt.Errorf("%s: %w", from, err)
	}
	r.manifest, r.digest = in.manifest, digestOf(sum)
	r.dir = r.At(cmp.Or(r.options.Into, r.manifest.Article+".repro"))
	if size := r.manifest.Bytes; size > large {
		question := fmt.Sprintf("write %s to %s?", units.BytesSize(float64(size)), terminal.Relative(r.dir))
		if err := r.confirm(question, "nothing was written"); err != nil {
			return err
		}
	}
	reused := false
	if r.project, reused, err = extract(ctx, in, r.digest, r.dir); err != nil {
		return fmt.Errorf("%s: %w", from, err)
	}
	if reused {
		fmt.Fprintf(r.Stderr, "continuing in %s, where the bundle is opened already\n", terminal.Relative(r.dir))
	}
	return nil
}

// prepare plans the article, and judges its claims by the author's records.
func (r *reproduction) prepare() (err error) {
	r.options.ChooseEngine(r.project)
	r.article = &lab.Article{Slug: r.manifest.Article}
	if r.article.Doc, err = lab.ReadArticle(r.project, r.article.Slug); err != nil {
		return lab.Failure(err)
	}
	err = r.Plans(r.project, []*lab.Article{r.article}, plan.Options{Profile: r.options.Profile},
		"the bundle is of another version of benchbook, or was changed; nothing was measured")
	if err != nil {
		return err
	}
	if r.options.Quick && r.options.Budget == 0 {
		r.options.Budget = quickTime
	}
	if err := r.judgeAuthor(); err != nil {
		return lab.Failure(err)
	}
	if r.options.Over, err = useImages(r.dir); err != nil {
		return lab.Failure(err)
	}
	return nil
}

// judgeAuthor sets records and there from the author's records.
func (r *reproduction) judgeAuthor() error {
	records, _, err := r.Records(r.project, r.article)
	r.records = slice.Filter(records, func(r *record.Record) bool { return strings.HasSuffix(r.Host, authorSuffix) })
	if err != nil || len(r.records) == 0 {
		return err
	}
	d, err := dataset.New(r.article.Doc, r.records, lab.DatasetOptions(r.project, r.article, ""))
	if err == nil {
		r.there = show.NewArticle(d)
	}
	return err
}

// printOrigin prints what the bundle says about itself and which rights measuring needs. Terminal control sequences are
// removed.
func (r *reproduction) printOrigin() {
	say := func(format string, args ...any) {
		fmt.Fprintln(r.Stdout, terminal.Clean(fmt.Sprintf(format, args...)))
	}
	say("%s", cmp.Or(r.article.Doc.Front.Title.OneLine().Value, r.article.Slug))
	if author := r.project.Author.Value; author != "" {
		say("  by %s", author)
	}
	say("  %s", r.digest)
	say("  %s, %s, opened in %s", phrase.Count(r.manifest.Files, "file"), units.BytesSize(float64(r.manifest.Bytes)),
		terminal.Relative(r.dir))
	if len(r.records) > 0 {
		hosts := slice.Add([]string{}, slice.Map(r.records, func(r *record.Record) string { return r.Host })...)
		newest := slices.MaxFunc(r.records, func(a, b *record.Record) int { return a.Ended.Compare(b.Ended) })
		say("  measured on %s until %s", phrase.List(hosts), newest.Ended.UTC().Format("2 January 2006"))
	}
	say("measuring it here, in profile %s, runs what its author wrote:", r.article.Planned.Profile)
	if r.options.Over != nil {
		say("  images that its author made, whatever its Dockerfiles say")
	}
	for _, words := range measure.Rights(r.project, []*plan.Plan{r.article.Planned}) {
		say("  %s", words)
	}
	fmt.Fprintln(r.Stdout)
}

// confirm asks the user unless --yes is given.
func (r *reproduction) confirm(question, otherwise string) error {
	if r.options.Yes {
		return nil
	}
	return r.Confirm(question, otherwise, "add --yes if you trust its author")
}

// report prints the results of both machines and renders the pages.
func (r *reproduction) report(outcomes []*show.Article) error {
	measured := len(outcomes) == 1 && !strings.HasSuffix(outcomes[0].Host, authorSuffix)
	if measured {
		r.here = outcomes[0]
		r.compare()
	}
	list := []*lab.Article{r.article}
	_, err := pages.Render(r.Session, r.project, list, pages.Options{}, lab.SlugsOf(list))
	if measured {
		fmt.Fprintf(r.Stdout, "send its author the new files in %s\n",
			terminal.Relative(r.project.RecordsDir(r.article.Slug)))
	}
	return err
}

// claimsJSON holds the verdicts on the author's host and on this one, by claim.
type claimsJSON struct {
	There map[string]show.Judged `json:"there"`
	Here  map[string]show.Judged `json:"here"` // null if nothing was measured here
}

// compare prints the verdict on each claim there and here.
func (r *reproduction) compare() {
	if r.there == nil || len(r.here.Claims) == 0 {
		return
	}
	const none = string(stats.NotMeasured)
	rows := [][]string{{"claim", "there, on " + r.there.Host, "here, on " + r.here.Host, ""}}
	same, headlines := 0, 0
	for i, here := range r.here.Claims {
		there := r.there.Claims[i].Judged
		agreement := "differ"
		switch was, is := cmp.Or(there.Verdict, none), cmp.Or(here.Verdict, none); {
		case was == none || is == none:
			agreement = "not measured on both"
		case was == is:
			agreement = "same"
		}
		if here.Headline {
			headlines++
			same += lab.BoolToInt(agreement == "same")
		}
		rows = append(rows, []string{here.Claim, there.Words(), here.Words(), agreement})
	}
	terminal.PrintColumns(r.Stdout, "", rows)
	if headlines > 0 {
		fmt.Fprintf(r.Stdout, "%d of %s with the same verdict there and here\n", same,
			phrase.Count(headlines, "headline claim"))
	}
}
