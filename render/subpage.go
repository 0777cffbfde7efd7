package render

import (
	"cmp"
	"html/template"
	"path"
	"slices"
	"strings"
	"time"

	"benchbook/notebook/claim"
	"benchbook/notebook/compare"
	"benchbook/notebook/dataset"
	"benchbook/notebook/stats"
	"benchbook/render/badge"
	"benchbook/render/prose"
	"benchbook/render/sections"
	"benchbook/render/timeline"
	"benchbook/render/wording"
)

// Subpage is a page below an article: its history, its hosts side by side, an earlier run, or two runs side by side.
type Subpage struct {
	Path        string // of its folder below that of the article, with slashes; "." for that
	File        string // its name there; index.html if empty
	Title       string // as text, without that of the site
	Description string // as text
	HTML        template.HTML
	Files       []File             // that it links, relative to its own folder
	Sections    []sections.Section // what search finds in it; none of pages that say again what others do
	LeadsOn     bool               // it says nothing of its own, and stands at its address only to lead to another
	Warnings    []string           // of what cannot be read in its figures; Page.Warnings has them too
}

const (
	historyFolder = "history"
	runsFolder    = "runs"
	compareFolder = "compare"
)

// News is what the newest run changed, for an index.
type News struct {
	Run            string
	When           time.Time   // the run ended
	First          bool        // the article had no standing before it, on its host and in its profile
	Before, After  badge.Badge // the standing; the same if it has not turned
	StandingTurned bool
	Claims         []ClaimNews
	NewlyMeasured  int // claims that no run had measured before
	// path of the page that compares the run with the one before, below the article's folder; may be empty
	Comparison string
	Steps      []timeline.News // from which runs on values lie elsewhere, the newest first
}

// ClaimNews is a claim whose verdict changed.
type ClaimNews struct {
	Words         string // as text
	ID            string // in the page
	Before, After badge.Badge
}

// pageOf returns the folder of the page of a run; empty without one. Complete runs have one, and so has the newest of
// each host and profile.
func pageOf(m *compare.Moment, all []*compare.Moment) string {
	newest := !slices.ContainsFunc(all, func(o *compare.Moment) bool {
		return o.Host == m.Host && o.Profile == m.Profile && o.Run > m.Run
	})
	if len(m.Whole) == 0 && !newest {
		return ""
	}
	return runFolder(m.Run, m, all)
}

// runFolder returns the folder of a run; empty if its name cannot be a folder.
func runFolder(run string, m *compare.Moment, all []*compare.Moment) string {
	if run = folderName(run, m, all); run != path.Base(run) || strings.HasPrefix(run, ".") {
		return ""
	}
	return path.Join(runsFolder, run)
}

// folderName names a run among all hosts and profiles; records copied to another host's folder repeat its name.
func folderName(run string, m *compare.Moment, all []*compare.Moment) string {
	isTaken := slices.ContainsFunc(all, func(o *compare.Moment) bool {
		return slices.Contains(o.Runs, run) && cmp.Or(cmp.Compare(o.Host, m.Host), cmp.Compare(o.Profile, m.Profile)) < 0
	})
	if isTaken {
		return run + "-" + m.Host + "-" + m.Profile
	}
	return run
}

// subpages renders the pages below an article, and the news of its newest run.
func (r *Renderer) subpages(d *dataset.Dataset, o Options, whole *composer, shown composed) (pages []Subpage,
	news *News, err error) {
	if o.Apart {
		evidence := evidencePage(whole, ".", shown)
		evidence.Sections = sections.Of(evidence.HTML)
		pages = append(pages, evidence)
	}
	if len(o.Moments) == 0 {
		return pages, nil, whole.failed()
	}
	comparisons, err := comparisonsOf(o.Moments)
	if err != nil {
		return nil, nil, err
	}
	ofAll, steps, err := r.pagesOfAll(d, o, whole, comparisons)
	if err != nil {
		return nil, nil, err
	}
	pages = append(pages, ofAll...)
	for _, m := range o.Moments {
		if pageOf(m, o.Moments) == "" {
			continue
		}
		ofRun, err := r.runPages(m, o, whole, shown)
		if err != nil {
			return nil, nil, err
		}
		pages = append(pages, ofRun...)
		for _, name := range m.Runs[:len(m.Runs)-1] {
			if folder := runFolder(name, m, o.Moments); folder != "" {
				page, err := r.partPage(m, o, name, folder)
				if err != nil {
					return nil, nil, err
				}
				pages = append(pages, page)
			}
		}
	}
	for _, c := range comparisons {
		page, err := r.comparisonPage(d, o, c)
		if err != nil {
			return nil, nil, err
		}
		pages = append(pages, page)
	}
	if news = r.news(d, o, comparisons); news != nil {
		news.Steps = steps
	}
	return pages, news, nil
}

// pagesOfAll are the pages about all runs: the history, and the hosts side by side.
func (r *Renderer) pagesOfAll(d *dataset.Dataset, o Options, whole *composer,
	comparisons []*comparison) (pages []Subpage, steps []timeline.News, err error) {
	history, steps, err := r.history(d, o, comparisons)
	if err != nil {
		return nil, nil, err
	}
	pages = append(pages, history)
	if s := whole.hosts(); s != nil {
		page, err := r.hostsPage(s, d, o)
		if err != nil {
			return nil, nil, err
		}
		pages = append(pages, page)
	}
	return pages, steps, nil
}

// comparisonsOf compares each run that has a page with the previous one.
func comparisonsOf(moments []*compare.Moment) ([]*comparison, error) {
	var out []*comparison
	for _, m := range moments {
		before := m.Before(moments)
		if before == nil || pageOf(m, moments) == "" {
			continue
		}
		c, err := compareMoments(before, m, moments)
		if err != nil {
			return nil, err
		}
		if c != nil {
			out = append(out, c)
		}
	}
	return out, nil
}

const upFromRun = "../../../"

// evidencePage has what few readers look up, beside the page in a folder.
func evidencePage(c *composer, folder string, a composed) Subpage {
	return Subpage{Path: folder, File: evidenceFile, Title: "Evidence: " + a.title,
		Description: "The claims of the article in detail, how it was measured, and the values in its text.",
		HTML:        c.main("evidence", a.view)}
}

// runPages are the article as of a run, at a permanent address, and its evidence.
func (r *Renderer) runPages(m *compare.Moment, o Options, c *composer, a composed) ([]Subpage, error) {
	if c.d == m.Dataset && !c.prose.LeadsUp {
		c, a = c.asOf(m, a)
	} else {
		ofArticle := slices.IndexFunc(o.Moments, func(n *compare.Moment) bool {
			return n.Host == c.d.Host && n.Profile == c.d.Profile
		})
		source := c.source
		c = r.compose(m.Dataset, o)
		c.prose.Up, c.moment, c.source = upFromRun, m, source
		if ofArticle < 0 || o.Moments[ofArticle] != m {
			c.folder = pageOf(m, o.Moments)
		}
		a = c.article()
	}
	pages := []Subpage{{Path: pageOf(m, o.Moments), Title: a.title + ", run of " + wording.LongDate(m.Ended),
		Description: a.description, HTML: a.main, Files: c.allFiles(), Warnings: c.unclear}}
	if o.Apart {
		pages = append(pages, evidencePage(c, pages[0].Path, a))
	}
	return pages, c.failed()
}

type wholeView struct {
	Article, Whole link
	History        string
	Name, When     string
}

// partPage keeps the address of a run of one experiment, from when each had its own, and links to the whole run.
func (r *Renderer) partPage(m *compare.Moment, o Options, name, folder string) (Subpage, error) {
	c := r.compose(m.Dataset, o)
	c.prose.Up = upFromRun
	_, title := c.prose.Inline(m.Doc.Front.Title.Value)
	main := c.Fill("part", wholeView{Article: link{"../../index.html", title}, History: "../../" + historyFolder +
		"/index.html", Name: name,
		Whole: link{"../../" + pageOf(m, o.Moments) + "/index.html", m.Run}, When: wording.LongDate(m.Ended)})
	return Subpage{Path: folder, Title: title + ", run " + name,
		Description: "Run " + name + " is part of the measurement of run " + m.Run + ".",
		HTML:        main, Files: c.allFiles(), LeadsOn: true}, c.failed()
}

func (r *Renderer) news(d *dataset.Dataset, o Options, comparisons []*comparison) *News {
	ofSet := func(m *compare.Moment) bool { return m.Host == d.Host && m.Profile == d.Profile }
	i := slices.IndexFunc(o.Moments, ofSet)
	if i < 0 {
		return nil
	}
	newest := o.Moments[i]
	n := &News{Run: newest.Run, When: newest.Ended.UTC(), After: badge.OfStanding(claim.StandingOf(newest.Dataset))}
	k := slices.IndexFunc(o.Moments[i+1:], ofSet)
	if k < 0 {
		n.First, n.Before = true, n.After
		return n
	}
	turns := compare.VerdictChangesOf(o.Moments[i+1+k].Dataset, newest.Dataset)
	n.Before, n.NewlyMeasured = badge.OfStanding(turns.StandingBefore), turns.New
	turned := turns.Standing.Is != turns.StandingBefore.Is
	n.First = turned && turns.StandingBefore.Is == stats.StandingNotMeasured
	n.StandingTurned = turned && !n.First
	c := r.compose(d, o)
	for _, t := range turns.Claims {
		_, words := c.claimSentence(t.Claim)
		n.Claims = append(n.Claims, ClaimNews{words, prose.ClaimID + t.Claim.Name.Value, badge.OfVerdict(t.Before),
			badge.OfVerdict(t.After)})
	}
	for _, c := range comparisons {
		if c.b == newest {
			n.Comparison = path.Join(c.folder, "index.html")
		}
	}
	return n
}
