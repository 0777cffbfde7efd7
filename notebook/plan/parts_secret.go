package plan

import (
	"cmp"
	"path"

	"benchbook/notebook/article"
	"benchbook/notebook/spec"
)

// secrets are the secrets that a service gets as files.
//
// Source: docs/services.md#secrets-from-outside.
func (r *reader) secrets(s *article.Service) (out []spec.SecretFile) {
	for _, f := range s.Secrets {
		if f.Source.IsZero() {
			continue // reported when it was read
		}
		target := cmp.Or(f.Target.Value, f.Source.Value)
		if !path.IsAbs(target) {
			target = path.Join(spec.SecretsDir, target)
		}
		if s.ReadOnly.V && path.Dir(target) != spec.SecretsDir {
			r.problems.Add("contradiction", f.Target.Pos, "nothing can be put at %s of a service that is read-only", target).
				Hint = "leave out target: the secret is " + spec.SecretsDir + "/" + f.Source.Value + " then"
		}
		out = append(out, spec.SecretFile{Name: f.Source.Value, Target: path.Clean(target)})
	}
	return out
}
