package pages

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"benchbook/files"
	"benchbook/lab"
	"benchbook/lab/results"
	"benchbook/notebook/article"
	"benchbook/notebook/projects"
	"benchbook/notebook/spec"
	"benchbook/runner/sysinfo"
	"benchbook/site"
	"benchbook/slice"
)

// keptFile is where it is kept what the site that was made last was made from, in the hidden folder of the project.
const keptFile = "site.json"

// mostKept is how large that may be, in bytes.
const mostKept = 64 << 20

// kept is what a site without problems came to. As long as its files and all that it was made from are as they were, it
// need not be made again: the same inputs make the same site.
type kept struct {
	Folder   string                    `json:"folder"`
	Inputs   string                    `json:"inputs"` // see inputsOf
	Stamp    string                    `json:"stamp"`  // of the files of the site, see site.Stamp
	Outcomes []*results.ArticleOutcome `json:"outcomes"`
	Warnings []string                  `json:"warnings"`
}

// keptSite is what is known of the site in a folder if it is as it would be made from inputs, which are empty if nobody
// can tell.
func keptSite(project *projects.Project, folder, inputs string) (k kept, files int, ok bool) {
	if inputs == "" {
		return k, 0, false
	}
	data, err := lab.ReadState(project.Dir, keptFile, mostKept)
	if err != nil || json.Unmarshal(data, &k) != nil || k.Folder != folder || k.Inputs != inputs {
		return k, 0, false
	}
	stamp, files := site.Stamp(folder)
	return k, files, stamp != "" && stamp == k.Stamp
}

// keep keeps what a site came to. That it cannot be kept costs time only.
func (k kept) keep(project *projects.Project) {
	if k.Stamp, _ = site.Stamp(k.Folder); k.Inputs == "" || k.Stamp == "" {
		return
	}
	if data, err := json.Marshal(k); err == nil && len(data) <= mostKept {
		_ = lab.WriteState(project.Dir, keptFile, data)
	}
}

// inputsOf digests what a site is made from: this program, this machine, the options, and every file of the articles
// with their records, of the theme and of the docs. It is empty if there is something that is not among these: what
// other hosts are like, a Markdown file without a project, or what an article takes from elsewhere in its repository.
func inputsOf(project *projects.Project, o Options, this sysinfo.Host, drafts []string) string {
	if project.File() != "" || len(project.Hosts) > 0 || project.Engine.V.Can(spec.Nodes) || reachesOut(project) {
		return ""
	}
	program, err := os.Executable()
	about, failed := json.Marshal([]any{this.ID, o.Drafts, o.Host, o.BaseURL, drafts, project.Dir})
	if err != nil || failed != nil {
		return ""
	}
	sum := sha256.New()
	sum.Write(about)
	for _, name := range append([]string{program, filepath.Join(project.Dir, article.ProjectFile)}, Roots(project)...) {
		if digestTree(sum, name) != nil {
			return ""
		}
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// outward matches what an article writes to use files outside its folder; it may match more.
var outward = regexp.MustCompile(`\bcompose["']?\s*:|[\s"'\[{:,](?:[^\s"'\[{:,(]*/)?\.\.(?:[/\s"',}\]]|$)`)

// reachesOut reports whether articles may use files outside their folders, or files that cannot be read.
func reachesOut(project *projects.Project) bool {
	slugs, err := project.Slugs()
	names := slice.Map(slugs, func(slug string) string {
		return filepath.Join(project.Dir, ArticlesDir, slug, article.FileName)
	})
	return err != nil || slices.ContainsFunc(append(names, filepath.Join(project.Dir, article.ProjectFile)),
		func(name string) bool {
			text, _, err := files.Read(name, mostKept)
			return err != nil || outward.Match(text)
		})
}

// digestTree digests all that is in a folder, or a file: names, kinds and contents.
func digestTree(sum hash.Hash, root string) error {
	return filepath.WalkDir(root, func(name string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		info, err := os.Stat(name) // of a link, what it leads to
		if err == nil && info.IsDir() && !e.IsDir() {
			return fmt.Errorf("%s leads to a folder, which is not walked", name)
		}
		if err != nil || !info.Mode().IsRegular() {
			fmt.Fprintf(sum, "%q %v\n", name, e.Type())
			return nil
		}
		fmt.Fprintf(sum, "%q %v %v %d\n", name, e.Type(), info.Mode().Perm()&0o111, info.Size())
		file, err := os.Open(name)
		if err != nil {
			return err
		}
		defer file.Close()
		_, err = io.Copy(sum, file)
		return err
	})
}

// draftsOf are the drafts among articles that are named.
func draftsOf(list []*lab.Article, named []string) []string {
	return lab.SlugsOf(slice.Filter(list, func(c *lab.Article) bool {
		return c.Doc.Front.Draft.V && slices.Contains(named, c.Slug)
	}))
}
