package inspect

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"

	"benchbook/files"
	"benchbook/lab"
	"benchbook/lab/terminal"
	"benchbook/notebook/integrity"
	"benchbook/notebook/projects"
	"benchbook/notebook/record"
)

// namespace is what signatures of runs are for, so that one of something else is none.
const namespace = "benchbook"

// maxKey bounds a file of keys or a signature, in bytes.
const maxKey = 1 << 20

// chainJSON is a run that verify --records prints with --json. Fields are added in later versions, none are renamed or
// removed.
type chainJSON struct {
	Article    string   `json:"article"`
	Host       string   `json:"host"`
	Profile    string   `json:"profile"`
	Run        string   `json:"run"`
	Records    int      `json:"records"`
	Sealed     int      `json:"sealed"`
	Removed    int      `json:"removed"`      // by gc, or damaged
	SignedBy   string   `json:"signed_by"`    // empty: not signed
	Problems   []string `json:"problems"`     // where the chain is broken, or the signature is wrong
	Invalid    []string `json:"invalid"`      // records that contradict themselves or others
	Unfinished []string `json:"unfinished"`   // what was planned and is not there
	Known      bool     `json:"signer_known"` // the key is among those given
	path       string   // of the pack
}

// VerifyRecords says of every run whether its records are as they were saved. Signatures are compared with the keys in
// a
// file of allowed signers, if there is one.
func VerifyRecords(a *lab.Session, project *projects.Project, list []*lab.Article, signers string, asJSON bool) error {
	allowed, err := allowedSigners(signers)
	if err != nil {
		return lab.UsageError(err)
	}
	out, wrong := []chainJSON{}, 0
	for _, c := range list {
		dir := record.Dir(project.RecordsDir(c.Slug))
		contents, chains, err := a.ReadRecordsOf(project, c.Slug)
		if err != nil {
			return lab.Failure(err)
		}
		a.WarnBad(contents.Bad)
		wrong += len(contents.Bad)
		for _, chain := range chains {
			run := chainOf(chain, contents.Records)
			if err := run.checkSignature(dir, allowed); err != nil {
				return lab.Failure(err)
			}
			wrong += len(run.Problems) + len(run.Invalid)
			out = append(out, run)
		}
	}
	err = a.Print(asJSON, out, func() { printChains(a, out) })
	if err == nil && wrong > 0 {
		return lab.WithStatus(lab.StatusFailed, nil)
	}
	return err
}

func chainOf(c integrity.Chain, records []*record.Record) chainJSON {
	out := chainJSON{Article: c.Article, Host: c.Host, Profile: c.Profile, Run: c.Run, Records: c.Records,
		Sealed: c.Sealed, Removed: c.Removed, Problems: append([]string{}, c.Problems...), Invalid: []string{},
		Unfinished: append([]string{}, c.Unfinished...), path: record.PackPath(c.Host, c.Profile, c.Run)}
	for _, r := range records {
		if r.Host != c.Host || r.Profile != c.Profile || r.Run != c.Run {
			continue
		}
		for _, why := range r.Doubts.Invalid {
			what := fmt.Sprintf("repetition %d of %s: %s", r.Repetition, r.Trial, why)
			if !slices.Contains(c.Problems, what) {
				out.Invalid = append(out.Invalid, what)
			}
		}
	}
	return out
}

func printChains(a *lab.Session, list []chainJSON) {
	for _, c := range list {
		state := "sealed"
		switch {
		case c.Sealed == 0:
			state = "not sealed"
		case c.Sealed < c.Records:
			state = fmt.Sprintf("%d of them sealed", c.Sealed)
		}
		if c.Removed > 0 {
			state += fmt.Sprintf(", %d removed by gc or damaged", c.Removed)
		}
		switch {
		case c.SignedBy != "" && c.Known:
			state += ", signed by " + c.SignedBy
		case c.SignedBy != "":
			state += ", signed with the key " + c.SignedBy + ", which no --signers file names"
		}
		fmt.Fprintf(a.Stdout, "%s, run %s (host %s, profile %s): %s, %s\n", c.Article, c.Run, c.Host, c.Profile,
			terminal.Count(c.Records, "record"), terminal.Clean(state))
		for _, of := range []struct {
			word  string
			lines []string
		}{{"broken", c.Problems}, {"invalid", c.Invalid}, {"unfinished", c.Unfinished}} {
			for _, line := range of.lines {
				fmt.Fprintf(a.Stdout, "  %-10s  %s\n", of.word, terminal.Clean(line))
			}
		}
	}
	if len(list) == 0 {
		fmt.Fprintln(a.Stdout, "no records")
	}
}

// A signer is a public key with the name that somebody gave it.
type signer struct {
	name string
	key  ssh.PublicKey
}

// allowedSigners reads a file of ssh-keygen(1): in each line names and a public key, perhaps with options between them.
func allowedSigners(name string) (out []signer, err error) {
	if name == "" {
		return nil, nil
	}
	data, _, err := files.Read(name, maxKey)
	if err != nil {
		return nil, fmt.Errorf("--signers: %w", err)
	}
	for i, line := range strings.Split(string(data), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		names, rest, _ := strings.Cut(line, " ")
		key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(rest))
		if err != nil {
			return nil, fmt.Errorf("--signers %s:%d: no public key: write NAME ssh-ed25519 AAAA…", name, i+1)
		}
		out = append(out, signer{strings.Trim(names, `"`), key})
	}
	return out, nil
}

// checkSignature asks whether the signature of a pack fits, if there is one, and whose it is.
func (c *chainJSON) checkSignature(dir record.Dir, allowed []signer) error {
	armored, _, err := files.Read(filepath.Join(string(dir), c.path+record.SignatureSuffix), maxKey)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	wrong := func(format string, args ...any) error {
		c.Problems = append(c.Problems, fmt.Sprintf(format, args...))
		return nil
	}
	signature, err := sshsig.Unarmor(armored)
	if err != nil {
		return wrong("the signature cannot be read")
	}
	pack, err := os.ReadFile(filepath.Join(string(dir), c.path))
	if errors.Is(err, fs.ErrNotExist) {
		return wrong("the file that was signed is gone")
	}
	if err != nil {
		return err
	}
	if err := sshsig.Verify(bytes.NewReader(pack), signature, signature.PublicKey, signature.HashAlgorithm,
		namespace); err != nil {
		return wrong("the signature does not fit: the run was changed after it was signed")
	}
	c.SignedBy = ssh.FingerprintSHA256(signature.PublicKey)
	for _, s := range allowed {
		if bytes.Equal(s.key.Marshal(), signature.PublicKey.Marshal()) {
			c.SignedBy, c.Known = s.name, true
			return nil
		}
	}
	if allowed != nil {
		return wrong("it is signed with the key %s, which is not among the signers", c.SignedBy)
	}
	return nil
}

// SignRuns signs the packed runs of articles with the private key in a file of OpenSSH: all that are not signed yet, or
// the one of that name.
func SignRuns(a *lab.Session, project *projects.Project, list []*lab.Article, keyFile, run string) error {
	key, err := privateKey(keyFile)
	if err != nil {
		return lab.UsageError(err)
	}
	signed, found := 0, false
	for _, c := range list {
		dir := record.Dir(project.RecordsDir(c.Slug))
		_, chains, err := a.ReadRecordsOf(project, c.Slug)
		if err != nil {
			return lab.Failure(err)
		}
		for _, chain := range chains {
			if run != "" && chain.Run != run {
				continue
			}
			found = true
			done, err := signRun(a, dir, chain, key, run != "")
			if err != nil {
				return lab.Failure(err)
			}
			signed += lab.Boolean(done)
		}
	}
	if run != "" && !found {
		return lab.UsageError(fmt.Errorf("no records of run %q", run))
	}
	if signed == 0 {
		fmt.Fprintln(a.Stdout, "nothing to sign")
	} else {
		a.SyncOrWarn(context.Background(), project, nil)
	}
	return nil
}

// signRun signs a run, unless it is signed already and nobody has asked for it. A run with a broken chain is not
// signed.
func signRun(a *lab.Session, dir record.Dir, c integrity.Chain, key ssh.Signer, anew bool) (bool, error) {
	if len(c.Problems) > 0 {
		return false, fmt.Errorf("run %s is not signed: %s", c.Run, c.Problems[0])
	}
	if err := dir.Pack(c.Host, c.Profile, c.Run); err != nil {
		return false, err
	}
	path := filepath.Join(string(dir), record.PackPath(c.Host, c.Profile, c.Run))
	if _, err := os.Lstat(path + record.SignatureSuffix); err == nil && !anew {
		return false, nil
	}
	pack, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer pack.Close() // it was only read
	signature, err := sshsig.Sign(pack, key, sshsig.HashSHA512, namespace)
	if err != nil {
		return false, fmt.Errorf("signing run %s: %w", c.Run, err)
	}
	if err := os.WriteFile(path+record.SignatureSuffix, sshsig.Armor(signature), 0o644); err != nil {
		return false, err
	}
	fmt.Fprintf(a.Stdout, "signed %s\n", terminal.Relative(path))
	return true, nil
}

func privateKey(name string) (ssh.Signer, error) {
	data, _, err := files.Read(name, maxKey)
	if err != nil {
		return nil, fmt.Errorf("--key: %w", err)
	}
	key, err := ssh.ParsePrivateKey(data)
	if errors.As(err, new(*ssh.PassphraseMissingError)) {
		return nil, fmt.Errorf("--key %s has a passphrase: let ssh-keygen sign each RUN.jsonl, which makes the same "+
			"signature: ssh-keygen -Y sign -n %s -f %s FILE", name, namespace, name)
	}
	if err != nil {
		return nil, fmt.Errorf("--key %s is no private key of OpenSSH", name)
	}
	return key, nil
}
