package measure

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"benchbook/internal/files"
	"benchbook/internal/phrase"
	"benchbook/internal/slice"
	"benchbook/lab"
	"benchbook/lab/terminal"
	"benchbook/notebook/article"
	"benchbook/notebook/plan"
	"benchbook/notebook/source"
	"benchbook/notebook/spec"
	"benchbook/runner/images"
)

// Asking says whether the user must consent to what a project allows.
type Asking int

const (
	AskOnce Asking = iota // ask the user once for each project
	Asked                 // the user has consented already
	Own                   // the experiment is the user's own, from the command line: no policy applies
)

// A reach is something that a project wants to do.
type reach struct {
	word  article.Permission // that a policy must grant; empty for harmless things
	host  string             // of a target
	words string
	at    source.Pos
	asks  bool // ask a user who has not measured the project before
}

// targetsKey is the key of allowed hosts in a policy.
const targetsKey = "targets"

var reachWords = map[article.Permission]string{
	article.AllowCapAdd:      "containers with more capabilities than Docker gives them",
	article.AllowSecurityOpt: "containers without some of Docker's safety",
	article.AllowSysctls:     "settings of the kernel, in containers",
	article.AllowMounts:      "files of this machine outside the project, in containers",
	article.AllowContexts:    "images built from files outside the repository",
	article.AllowSecrets:     "secrets in files outside the repository",
}

// reachesOf returns the rights that a project gives its articles, and everything else that the plans use.
func reachesOf(project *article.Project, plans []*plan.Plan) (out []reach) {
	for _, w := range project.Allow.Words {
		// Sysctls need no question: the engine sets them inside the container only.
		out = append(out, reach{w.Value, "", reachWords[w.Value], w.Pos, w.Value != article.AllowSysctls})
	}
	for _, t := range project.Allow.Targets {
		out = append(out, reach{targetsKey, t.Value, "load on " + t.Value, t.Pos, true})
	}
	engine := project.Engine.Pos
	inFile := engine.Source != nil // else --engine chose the engine
	switch project.EngineName() {
	case spec.Local:
		out = append(out, reach{article.PolicyLocal, "", "programs of this machine, as you", engine, inFile})
	case spec.Kubernetes:
		out = append(out, reach{article.PolicyCluster, "", "pods in a cluster of yours, and a registry to push images to",
			engine, inFile})
	}
	u := uses{}
	for _, p := range plans {
		for _, e := range p.Experiments {
			for _, t := range e.Trials {
				u.add(p, e, t)
			}
		}
	}
	if u.builds != nil {
		out = append(out, reach{article.PolicyBuilds, "", "images that are built, with access to the network", *u.builds, false})
	}
	if u.sockets != nil {
		out = append(out, reach{article.PolicySockets, "", "sockets of this machine", *u.sockets, false})
	}
	for _, use := range []struct {
		what  string
		names []string
	}{{"containers of ", u.images}, {"your secrets: ", u.secrets}, {"load on servers that run already: ", u.targets}} {
		if slices.Sort(use.names); len(use.names) > 0 {
			out = append(out, reach{words: use.what + phrase.List(use.names)})
		}
	}
	return out
}

// uses collects what plans use.
type uses struct {
	builds, sockets          *source.Pos // first experiment that uses them, or nil
	images, secrets, targets []string
}

func (u *uses) add(p *plan.Plan, e *plan.Experiment, t *plan.Trial) {
	for _, s := range e.Secrets {
		u.secrets = slice.Add(u.secrets, s.Name)
	}
	for _, i := range images.Of(p.Article, t) {
		if i.Build != nil {
			u.builds = cmp.Or(u.builds, &e.Pos)
		} else if i.Name != "" {
			u.images = slice.Add(u.images, i.Name)
		}
	}
	for _, s := range t.Services {
		if slices.ContainsFunc(s.Volumes, func(v spec.Volume) bool { return v.Host != "" && hasSocket(v.Host) }) {
			u.sockets = cmp.Or(u.sockets, &e.Pos)
		}
	}
	if t.Load != nil && t.Load.Outside {
		u.targets = slice.Add(u.targets, t.Load.URLs()...)
	}
}

// Rights describes the rights that a project gives its articles, and everything else that the plans use.
func Rights(project *article.Project, plans []*plan.Plan) []string {
	return slice.Map(reachesOf(project, plans), func(r reach) string { return r.words })
}

// hasSocket reports whether a path is a Unix socket, or a folder that contains one.
func hasSocket(name string) bool {
	if real, err := filepath.EvalSymlinks(name); err == nil {
		name = real
	}
	if info, err := os.Stat(name); err == nil && info.Mode()&fs.ModeSocket != 0 {
		return true
	}
	table, err := os.ReadFile("/proc/net/unix")
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(table)) {
		_, path, ok := strings.Cut(strings.TrimSpace(line), " /")
		if _, below := files.Below(name, "/"+path); ok && below {
			return true
		}
	}
	return false
}

// consent returns an error if the policy of this machine does not allow what a project wants to do. Without a policy it
// asks the user, once for each project and set of permissions.
func consent(a *lab.Session, project *article.Project, list []*lab.Article, flags Options) error {
	c := a.Config.Consent
	if c == nil || flags.Asking == Own {
		return nil
	}
	reaches := reachesOf(project, slice.Map(list, func(c *lab.Article) *plan.Plan { return c.Planned }))
	_, err := os.Stat(c.Policy)
	switch {
	case c.Policy != "" && err == nil:
		return withinPolicy(a, c.Policy, reaches)
	case c.Policy != "" && (c.Named || !errors.Is(err, fs.ErrNotExist)):
		return lab.Failure(fmt.Errorf("the policy of this machine cannot be read: %w", err))
	case flags.Asking == Asked:
		return nil
	}
	return askOnce(a, project, reaches, flags.Yes)
}

// withinPolicy prints everything that a policy does not allow, and returns an error if there is any.
func withinPolicy(a *lab.Session, file string, reaches []reach) error {
	var problems source.Problems
	policy := article.ReadPolicy(file, &problems)
	if found := problems.Sorted(); len(found) > 0 {
		lab.PrintProblems(a.Stderr, found)
		return lab.Failure(fmt.Errorf("%s in the policy of this machine; nothing was measured",
			phrase.Count(len(found), "problem")))
	}
	for _, r := range reaches {
		isHost := func(t source.Text) bool { return strings.EqualFold(t.Value, r.host) }
		if r.word == "" || r.word == targetsKey && slices.ContainsFunc(policy.Allow.Targets, isHost) || policy.Allow.Has(r.word) {
			continue
		}
		written := r.word
		if r.word == targetsKey {
			written = fmt.Sprintf("{targets: [%s]}", r.host)
		}
		problems.Add("not-allowed", r.at, "the project asks for %s, which the policy of this machine does not allow", r.words).Hint =
			fmt.Sprintf("the policy is %s: if it is yours and you trust the project, add %s to its list allow:", file, written)
	}
	found := problems.Sorted()
	if len(found) == 0 {
		return nil
	}
	lab.PrintProblems(a.Stderr, found)
	return lab.Failure(fmt.Errorf("the project does more than %s allows; nothing was measured", file))
}

// askOnce asks the user to consent to what a project wants to do, unless they have done so before.
func askOnce(a *lab.Session, project *article.Project, reaches []reach, yes bool) error {
	reaches = slices.DeleteFunc(reaches, func(r reach) bool { return !r.asks })
	if len(reaches) == 0 {
		return nil
	}
	text := project.Dir + "\n"
	for _, r := range reaches {
		text += string(r.word) + " " + r.host + "\n"
	}
	answered := ""
	if trusted := a.Config.Consent.Trusted; trusted != "" {
		answered = filepath.Join(trusted, fmt.Sprintf("%x", sha256.Sum256([]byte(text))))
	}
	if _, err := os.Stat(answered); err == nil {
		return nil
	}
	fmt.Fprintf(a.Stderr, "the project in %s asks for more than most, and you have not measured it before:\n",
		terminal.Clean(terminal.Relative(project.Dir)))
	terminal.PrintColumns(a.Stderr, "  ", slice.Map(reaches, func(r reach) []string {
		return []string{terminal.Clean(r.words), placeOf(r.at)}
	}))
	if !yes {
		err := a.Confirm("measure it?", "nothing was measured", "if you trust the project, add --yes to run, report or bench, "+
			"or list what it may do in the policy "+cmp.Or(a.Config.Consent.Policy, "that BENCHBOOK_POLICY names"))
		if err != nil {
			return err
		}
	}
	if answered == "" {
		return nil
	}
	if err := files.Write(answered, []byte(text)); err != nil {
		fmt.Fprintf(a.Stderr, "the answer is not remembered: %v\n", err)
	}
	return nil
}

func placeOf(at source.Pos) string {
	if at.Source == nil {
		return ""
	}
	line, _ := at.Source.Position(at.Start)
	return fmt.Sprintf("%s:%d", at.Source.Path, line)
}
