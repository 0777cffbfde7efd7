package repeat

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"benchbook/files"
	"benchbook/lab"
	"benchbook/lab/bundles"
	"benchbook/lab/inspect"
	"benchbook/lab/terminal"
	"benchbook/notebook/bundle"
	"benchbook/notebook/integrity"
	"benchbook/notebook/plan"
	"benchbook/notebook/projects"
	"benchbook/notebook/record"
	"benchbook/runner/sysinfo"
	"benchbook/slice"
)

// PackSuffix ends the names of packs of records.
const PackSuffix = ".records"

// recordsFolder is where a pack has its records.
const recordsFolder = "records"

// packLimits are bounds of a pack, which is opened before anybody was asked.
var packLimits = bundle.Limits{Files: 10_000, Bytes: 1 << 30}

// ContributeOptions say what goes into a pack, and where that goes.
type ContributeOptions struct {
	Out  string // a file; empty: ARTICLE-HOST.records
	Host string // empty: this one
}

// Contribute packs the records of an article on one host, for somebody who has those of others.
func Contribute(ctx context.Context, a *lab.Session, args []string, o ContributeOptions) error {
	project, list, err := a.Select(args)
	if err != nil {
		return err
	}
	c := list[0]
	if o.Host == "" {
		this, err := sysinfo.ThisHost()
		if err == nil {
			this, err = a.HostOf(project, c, this)
		}
		if err != nil {
			return lab.Failure(err)
		}
		o.Host = this.ID
	}
	read, chains, err := a.ReadRecordsOf(project, c.Slug)
	if err != nil {
		return lab.Failure(err)
	}
	about := bundle.About{Article: c.Slug, Title: c.Doc.Front.Title.OneLine().Value, Version: a.Version,
		Hosts: []string{o.Host}}
	var hosts []string
	for _, r := range read.Records {
		if hosts = append(hosts, r.Host); r.Host == o.Host && r.Ended.After(about.Date) {
			about.Date = r.Ended
		}
	}
	inputs := inputsOf(a, project.RecordsDir(c.Slug), chains, o.Host)
	if len(inputs) == 0 {
		slices.Sort(hosts)
		there := "no records"
		if len(hosts) > 0 {
			there = "records of " + terminal.InSentence(slices.Compact(hosts))
		}
		return lab.UsageError(fmt.Errorf("article %s has no sealed runs of host %s that have ended: there are %s", c.Slug,
			o.Host, there))
	}
	out := cmp.Or(o.Out, c.Slug+"-"+o.Host+PackSuffix)
	if _, _, _, err := bundles.WriteFile(ctx, out, about, inputs, nil); err != nil {
		return lab.Failure(err)
	}
	runs := slice.Count(inputs, func(i bundle.Input) bool { return record.IsPack(inRecords(i.Path)) })
	fmt.Fprintf(a.Stdout, "%s: %s of host %s\nthe author of %s adds them with: benchbook accept %s\n", out,
		terminal.Count(runs, "run"), o.Host, c.Slug, filepath.Base(out))
	return nil
}

// inputsOf are the sealed runs of a host in a folder of records, with their signatures.
func inputsOf(a *lab.Session, dir string, chains []integrity.Chain, host string) (inputs []bundle.Input) {
	for _, chain := range chains {
		if chain.Host != host {
			continue
		}
		if len(chain.Problems) > 0 || chain.Sealed < chain.Records {
			fmt.Fprintf(a.Stderr, "run %s is left out: %s\n", chain.Run, append(chain.Problems, "it is not sealed")[0])
			continue
		}
		name := record.PackPath(chain.Host, chain.Profile, chain.Run)
		for _, name := range []string{name, name + record.SignatureSuffix} {
			from := filepath.Join(dir, name)
			if _, err := os.Stat(from); err == nil { // it has ended, and is signed
				inputs = append(inputs, bundle.Input{Path: path.Join(recordsFolder, filepath.ToSlash(name)),
					Open: func() (io.ReadCloser, error) { return os.Open(from) }})
			}
		}
	}
	return inputs
}

// inRecords is the path of a file of a pack below the folder of records.
func inRecords(name string) string { return strings.TrimPrefix(name, recordsFolder+"/") }

// AcceptOptions say how a pack is checked.
type AcceptOptions struct {
	Signers string // a file with the keys that may have signed it; empty: any, or none
	DryRun  bool
	JSON    bool
}

// accepted is what accept prints with --json.
type accepted struct {
	Article string   `json:"article"`
	Host    string   `json:"host"`
	Added   []string `json:"added"`   // runs, and those that became longer
	Known   []string `json:"known"`   // runs that are here already
	Fresh   int      `json:"fresh"`   // records of trials as the article has them now
	Other   int      `json:"other"`   // of trials that it does not have, or not so
	Invalid int      `json:"invalid"` // that contradict themselves
}

// Accept checks a pack of somebody else's records, and adds them to those of the article. Nothing of it is run.
func Accept(ctx context.Context, a *lab.Session, from string, o AcceptOptions) error {
	defer a.AwaitOnInterrupt(ctx)()
	r, done, err := openBundle(ctx, from, packLimits)
	if err != nil {
		return lab.Interrupted(ctx, lab.Failure(err))
	}
	defer done()
	project, list, plans, err := a.SelectPlanned([]string{r.Manifest().Article}, plan.Options{}, "nothing was accepted")
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "benchbook-accept-")
	if err != nil {
		return lab.Failure(err)
	}
	defer os.RemoveAll(dir)
	into := filepath.Join(dir, "opened")
	if err = checkPack(r.Manifest()); err == nil {
		err = r.Extract(into, nil)
	}
	if err == nil {
		err = a.FetchRecords(project)
	}
	p := &pack{Session: a, project: project, article: list[0], plan: plans[list[0].Slug],
		dir: filepath.Join(into, recordsFolder), to: project.RecordsDir(list[0].Slug)}
	if err == nil {
		err = p.check(o.Signers)
	}
	if err == nil {
		err = p.add(o.DryRun)
	}
	if err != nil {
		return lab.Interrupted(ctx, lab.Failure(fmt.Errorf("%s: %w", from, err)))
	}
	if !o.DryRun {
		a.SyncOrWarn(ctx, project, nil)
	}
	return a.Print(o.JSON, p.found, func() { p.print(o.DryRun) })
}

// checkPack refuses what is no pack of records: a bundle, or something made by hand.
func checkPack(m bundle.Manifest) error {
	listed := map[string]bool{}
	for _, f := range m.Files {
		listed[f.Path] = true
	}
	for _, f := range m.Files {
		run := strings.TrimSuffix(f.Path, record.SignatureSuffix)
		name := inRecords(run)
		isRun := name != run && strings.Count(name, "/") == 2 && record.IsPack(name) && listed[run]
		if f.Path != bundle.CrateName && !isRun {
			return fmt.Errorf("it is not a pack of records: it has %s; such packs are made with benchbook contribute",
				terminal.Clean(f.Path))
		}
	}
	return nil
}

// A pack is somebody else's records, opened.
type pack struct {
	*lab.Session
	project *projects.Project
	article *lab.Article
	plan    *plan.Plan
	dir, to string // of records, as an article has them: theirs, and those of the article
	found   accepted
}

// check asks whether the records are whole, sealed, signed by somebody known, and of this article.
func (p *pack) check(signers string) error {
	read, chains, err := p.ReadRecords(p.dir)
	if err != nil {
		return err
	}
	if len(read.Bad) > 0 {
		return fmt.Errorf("it has lines that are no records: %s: %w", filepath.Base(read.Bad[0].Path), read.Bad[0].Err)
	}
	p.found = accepted{Article: p.article.Slug, Added: []string{}, Known: []string{}}
	for _, chain := range chains {
		if err := p.checkChain(chain); err != nil {
			return err
		}
		p.found.Host = chain.Host
	}
	if len(chains) == 0 {
		return errors.New("it has no records")
	}
	p.count(read.Records)
	if p.found.Fresh == 0 {
		return fmt.Errorf("none of its records is of what article %s measures now: its inputs were changed since, or "+
			"elsewhere", p.article.Slug)
	}
	if err := inspect.CheckSignatures(p.dir, read.Records, chains, signers); err != nil {
		return err
	}
	return p.checkBeside(read)
}

func (p *pack) checkChain(chain integrity.Chain) error {
	switch {
	case chain.Article != p.article.Slug:
		return fmt.Errorf("run %s is of article %s, and not of %s", chain.Run, terminal.Clean(chain.Article), p.article.Slug)
	case p.found.Host != "" && p.found.Host != chain.Host:
		return fmt.Errorf("it has records of two hosts, %s and %s: let them be packed apart", p.found.Host,
			terminal.Clean(chain.Host))
	case len(chain.Problems) > 0:
		return fmt.Errorf("run %s was changed after it was measured: %s", chain.Run, terminal.Clean(chain.Problems[0]))
	case chain.Sealed < chain.Records:
		return fmt.Errorf("run %s is not sealed", chain.Run)
	}
	return nil
}

// checkBeside refuses records that would make some of those that are here already invalid: copies of them.
func (p *pack) checkBeside(theirs record.Contents) error {
	if p.Config.Scripted { // whose records are not asked whether they agree
		return nil
	}
	here, _, err := p.ReadRecords(p.to)
	if err != nil {
		return err
	}
	before := map[*record.Record]int{}
	for _, r := range here.Records {
		before[r] = len(r.Doubts.Invalid)
	}
	var added []*record.Record
	for _, r := range theirs.Records {
		isSame := func(o *record.Record) bool {
			return o.Host == r.Host && o.Run == r.Run && o.Seal != nil && r.Seal != nil && *o.Seal == *r.Seal
		}
		if !slices.ContainsFunc(here.Records, isSame) {
			added = append(added, r)
		}
	}
	integrity.Check(slices.Concat(here.Records, added), time.Now())
	integrity.CheckSeals(here.Records, here.Removed)
	for _, r := range here.Records {
		if len(r.Doubts.Invalid) > before[r] {
			return fmt.Errorf("it has copies of records that are here already, such as repetition %d of %s in run %s: %s",
				r.Repetition, terminal.Clean(r.Trial), r.Run, terminal.Clean(r.Doubts.Invalid[len(r.Doubts.Invalid)-1]))
		}
	}
	return nil
}

// count counts the records by whether they are of the article as it is now.
func (p *pack) count(records []*record.Record) {
	keys := map[string]bool{}
	for _, one := range append([]*plan.Plan{p.plan}, p.plan.Others()...) {
		for _, e := range one.Experiments {
			for _, t := range e.Trials {
				keys[one.Profile+" "+e.Name+" "+t.Key] = true
			}
		}
	}
	for _, r := range records {
		fresh := keys[r.Profile+" "+r.Experiment+" "+r.Key]
		p.found.Fresh += lab.Boolean(fresh)
		p.found.Other += lab.Boolean(!fresh)
		p.found.Invalid += lab.Boolean(len(r.Doubts.Invalid) > 0)
	}
}

// add copies the runs that are not here yet, or not as far. A run that is here with another content is somebody's
// mistake, or a try to replace it: nothing is added then.
func (p *pack) add(dryRun bool) error {
	wanted := map[string][]byte{} // by whole path
	err := filepath.WalkDir(p.dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !record.IsPack(name) {
			return err
		}
		below, err := filepath.Rel(p.dir, name)
		if err == nil {
			err = p.compare(below, wanted)
		}
		return err
	})
	if err != nil || dryRun {
		return err
	}
	for name, data := range wanted {
		if err := files.Write(name, data); err != nil {
			return err
		}
	}
	return nil
}

// compare adds a run, and its signature, to what is wanted, if it is not here.
func (p *pack) compare(below string, wanted map[string][]byte) error {
	theirs, err := os.ReadFile(filepath.Join(p.dir, below))
	if err != nil {
		return err
	}
	here, err := os.ReadFile(filepath.Join(p.to, below))
	run := strings.TrimSuffix(filepath.Base(below), filepath.Ext(below))
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	case err == nil && bytes.Equal(here, theirs):
		p.found.Known = append(p.found.Known, run)
		return nil
	case err == nil && !bytes.HasPrefix(theirs, here): // else it has gone on since
		return fmt.Errorf("run %s is here already, and is another one: nothing was added", run)
	}
	p.found.Added = append(p.found.Added, run)
	wanted[filepath.Join(p.to, below)] = theirs
	below += record.SignatureSuffix
	signature, err := os.ReadFile(filepath.Join(p.dir, below))
	if err == nil {
		wanted[filepath.Join(p.to, below)] = signature
	} else if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return err
}

func (p *pack) print(dryRun bool) {
	f, verb := &p.found, "added"
	if dryRun {
		verb = "would add"
	}
	fmt.Fprintf(p.Stdout, "%s %s of host %s to %s", verb, terminal.Count(len(f.Added), "run"), f.Host, f.Article)
	if len(f.Known) > 0 {
		fmt.Fprintf(p.Stdout, "; %s here already", terminal.Are(len(f.Known), "other run"))
	}
	fmt.Fprintf(p.Stdout, "\n%s of what the article measures now", terminal.Are(f.Fresh, "record"))
	if f.Other > 0 {
		fmt.Fprintf(p.Stdout, ", %d of something else", f.Other)
	}
	if f.Invalid > 0 {
		fmt.Fprintf(p.Stdout, ", and %d contradict themselves, so their cells do not count", f.Invalid)
	}
	fmt.Fprintln(p.Stdout)
}
