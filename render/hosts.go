package render

import (
	"html/template"
	"strings"

	"benchbook/notebook/article"
	"benchbook/notebook/claim"
	"benchbook/notebook/compare"
	"benchbook/notebook/dataset"
	"benchbook/render/cellview"
	"benchbook/render/hosts"
	"benchbook/render/number"
	"benchbook/render/prose"
	"benchbook/render/wording"
)

const hostsFolder = "hosts"

// hostsPart is what a page says of the other hosts that measured the same. The pages of runs say nothing of them.
type hostsPart struct{ *composer }

// sheetOf sets the hosts of an article side by side; nil if there is one alone.
func sheetOf(c *composer) *hosts.Sheet {
	list := hosts.Of(c.d, c.options.Moments)
	if list == nil {
		return nil
	}
	s, err := hosts.Compare(list)
	if err != nil {
		c.err = err
		return nil
	}
	return s
}

// holds says on how many hosts a claim is supported; empty unless two measured it.
func (c hostsPart) holds(claim string) string {
	if c.moment != nil || c.hosts() == nil {
		return ""
	}
	return c.hosts().Holds(claim)
}

// also links the page of all hosts in the words of a list: "also on c2-39de7f".
func (c hostsPart) also() []template.HTML {
	if c.moment != nil || c.hosts() == nil {
		return nil
	}
	words := number.Count(len(c.hosts().Pairs), "other host")
	if others := c.hosts().Pairs; len(others) == 1 {
		words = others[0].Host.Name
	}
	return []template.HTML{prose.AnchorTag(hostsFolder+"/index.html", template.HTML("also on\u00a0"+
		template.HTMLEscapeString(words)))}
}

// sideBySide links the page of all hosts, and says how far headline claims hold on them.
func (c hostsPart) sideBySide() []template.HTML {
	if c.moment != nil || c.hosts() == nil {
		return nil
	}
	s := c.hosts()
	words := prose.AnchorTag(hostsFolder+"/index.html", template.HTML(number.Count(len(s.Hosts), "host")+" side by side"))
	if sum := s.HoldSum(); sum != "" {
		words += template.HTML(template.HTMLEscapeString(": " + sum))
	}
	return []template.HTML{words}
}

type hostsView struct {
	hosts.View
	Article        link
	History, Title string
	Figure         template.HTML
	Missing        string     // why there is no figure
	Files          provenance // of the claims
	Lines          []howtoLine
}

// hostsPage shows what each host measured, side by side.
func (r *Renderer) hostsPage(s *hosts.Sheet, d *dataset.Dataset, o Options) (Subpage, error) {
	c := r.compose(d, o)
	c.prose.Up, c.folder = "../../", hostsFolder
	_, title := c.prose.Inline(d.Doc.Front.Title.Value)
	part := hostsPart{c}
	on := "on " + number.Count(len(s.Hosts), "host")
	v := hostsView{Article: link{"../index.html", title}, History: "../" + historyFolder + "/index.html",
		Title: titleOn(title, on), View: s.View(part.ofEach(s))}
	if f := s.Figure(); f.Missing == "" {
		v.Figure = part.figure(f, s)
	} else {
		v.Missing = f.Missing
	}
	v.Files = part.data("tbl-hosts", "Claims "+on, s, s.Data().Encode)
	run := "benchbook run " + d.Doc.Slug
	v.Lines = []howtoLine{{"Measure it on your machine", run}, {"Compare two hosts in a terminal",
		"benchbook compare --across-hosts " + s.Hosts[0].Name + " " + s.Hosts[1].Name + " " + d.Doc.Slug}}
	main := c.Fill("hosts", v)
	return Subpage{Path: hostsFolder, Title: title + ", " + on, Description: v.Lead, HTML: main, Files: c.allFiles(),
		Warnings: c.unclear}, c.failed()
}

// titleOn puts behind a title on how many hosts it was measured.
func titleOn(title, on string) string {
	if strings.HasSuffix(title, "?") || strings.HasSuffix(title, "!") {
		return title + " " + wording.Capital(on)
	}
	return title + ": " + on
}

// ofEach is what the page of all hosts takes from those of each.
func (c hostsPart) ofEach(s *hosts.Sheet) hosts.Options {
	return hosts.Options{
		Says: func(block *article.Claim) string { _, words := c.claimSentence(block); return words },
		Page: func(m *compare.Moment) string {
			if m == s.Hosts[0].Newest {
				return "../index.html"
			}
			return runHref(m, c.options.Moments)
		},
		ID:       func(block *article.Claim) string { return prose.ClaimID + block.Name.Value },
		Year:     yearOf(c.doc),
		Markdown: c.prose.Inline,
		Of: func(h hosts.Host) (of string, warn []string) {
			own := c.composer
			if h.Dataset != c.d {
				own = c.compose(h.Dataset, c.options)
			}
			return answerPart{own}.countOfClaims(claim.StandingOf(h.Dataset)), hostsPart{own}.cautions()
		},
	}
}

// cautions are those of a page in a few words each, with the number of cells if they count some. That it is of another
// host is none.
func (c hostsPart) cautions() (list []string) {
	for _, b := range c.banners() {
		if b.Strong == onAnotherHost {
			continue
		}
		words := wording.Lower(strings.TrimRight(b.Strong, ".:,"))
		if cells, _, counts := strings.Cut(b.Text, "\u00a0cell"); counts && strings.Trim(cells, "0123456789 of") == "" {
			words += ": " + cells + "\u00a0cells"
		}
		list = append(list, words)
	}
	return list
}

// figure draws the values of all hosts.
func (c hostsPart) figure(f hosts.Figure, s *hosts.Sheet) template.HTML {
	v := figureView{captioned: captioned{ID: f.ID, Number: "Figure\u00a01",
		Title: template.HTML(template.HTMLEscapeString(f.Title)), Sub: f.Sub}, HowTo: f.HowTo}
	var drawings []drawing
	for _, p := range f.Panels {
		panel := panelView{Name: p.Name, Missing: p.Missing}
		if p.Missing == "" {
			full, narrow := c.draw(p.ID, p.Rows)
			panel.Full, panel.Narrow = template.HTML(full), template.HTML(narrow)
			drawings = append(drawings, drawing{id: p.ID, name: p.Host, svg: full})
		}
		v.Panels = append(v.Panels, panel)
	}
	v.Provenance = c.data(f.ID, f.Title, s, f.Data.Encode, drawings...)
	v.Provenance.Cells = f.Cells
	return c.Fill("figure", v)
}

// data adds the files of a table or figure of all hosts, and says where it is from.
func (c hostsPart) data(id, title string, s *hosts.Sheet, encode encoder, drawings ...drawing) (p provenance) {
	var o cellview.Origin
	for _, h := range s.Hosts {
		o.Runs, o.Hosts = append(o.Runs, h.Newest.Run), append(o.Hosts, h.Name)
	}
	p.Cells = number.Count(len(s.Claims), "claim")
	p.Where = template.HTML(template.HTMLEscapeString("hosts " + strings.Join(o.Hosts, ", ")))
	part := provenancePart(c)
	p.Files, p.Embed = part.addFiles(id, part.about(id, title, "", o), encode, drawings...)
	return p
}
