package article

import (
	"slices"

	"benchbook/notebook/source"
)

// Policy is what a machine lets projects do at most, whatever they allow their articles.
type Policy struct {
	Allow PolicyAllow `yaml:"allow"`
}

// PolicyAllow is what projects may allow or use.
type PolicyAllow = AllowList[PolicyWord]

// PolicyWord is a permission of a project, or something that projects use without one.
type PolicyWord string

// What projects use without a permission.
const (
	PolicySockets PolicyWord = "sockets"    // mounts of sockets of the machine, and of folders that have some
	PolicyLocal   PolicyWord = "local"      // programs of the machine, as the user
	PolicyCluster PolicyWord = "kubernetes" // pods in a cluster of the user, and pushes to a registry
	PolicyBuilds  PolicyWord = "builds"     // images that are built, which reaches the network
)

func (PolicyWord) Words() []string {
	return append(Permission("").Words(), string(PolicySockets), string(PolicyLocal), string(PolicyCluster),
		string(PolicyBuilds))
}

// Has reports whether the policy has a word.
func (p *Policy) Has(word PolicyWord) bool {
	return slices.ContainsFunc(p.Allow.Words, func(w Value[PolicyWord]) bool { return w.V == word })
}

// ReadPolicy reads the policy in a file, which is shown to people by its path. What is wrong with it is a problem.
func ReadPolicy(name string, problems *source.Problems) *Policy {
	p := &Policy{}
	src, ok := source.Read(name, name, problems)
	if !ok || !source.Fits(src, problems) {
		return p
	}
	if n := source.Parse(source.Whole(src), problems); n != nil {
		NewDecoder(problems, false).Decode(n, "policy", p)
	}
	return p
}
